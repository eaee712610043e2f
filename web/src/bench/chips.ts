import type { Device, Home, Lang } from '../api/model';
import { nameIn } from '../shared/format';
import type { Catalogue } from '../texts/texts';
import { isLamp, lightOf, property } from './light';

/** As many as fit three lines beside the scene; English sentences are longer. */
const limits: Record<Lang, number> = { 'zh-CN': 4, en: 3 };

/** Sentences that this home can carry out now, for somebody who has none at hand: lamps first. */
export function chipsFor(home: Home, lang: Lang, t: Catalogue['chips'], limit = limits[lang]): string[] {
  const rooms = new Map(home.rooms.map((r) => [r.id, nameIn(r.names, lang)]));
  const said = (d: Device, say: (room: string, name: string) => string) =>
    say(rooms.get(d.room) ?? '', nameIn(d.names, lang, d.deviceName));
  const chips: string[] = [];
  const lamp = home.devices.find(isLamp);
  if (lamp) {
    chips.push(said(lamp, lightOf(lamp).on ? t.lightOff : t.lightOn), said(lamp, t.lightHalf));
    if (property(lamp, 'colorTemperature')) chips.push(said(lamp, t.lightWarm));
  }
  const kinds = [
    ['curtain', t.curtain],
    ['air_conditioner', t.cool],
    ['kettle', t.on],
    ['fan', t.on],
    ['outlet', t.on],
  ] as const;
  for (const [category, say] of kinds) {
    const device = home.devices.find((d) => d.category === category);
    if (device) chips.push(said(device, say));
  }
  return chips.slice(0, limit);
}
