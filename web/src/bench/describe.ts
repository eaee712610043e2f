import type { Act, Answer, Device, Home, Lang, Target } from '../api/model';
import { figure, nameIn, nbsp } from '../shared/format';
import { entry, type Catalogue } from '../texts/texts';
import { colourValue, flag, isLamp, lightOf, number, property } from './light';

/** The name of a device in the wanted language. */
export const nameOf = (d: Device, lang: Lang) => nameIn(d.names, lang, d.deviceName);

export function roomOf(home: Home, room: string, lang: Lang): string {
  const found = home.rooms.find((r) => r.id === room);
  return found ? nameIn(found.names, lang) : '';
}

/** Room and name together, as one says it: 客厅的灯, living room lamp. */
export function placed(home: Home, d: Device, lang: Lang, t: Catalogue): string {
  const room = roomOf(home, d.room, lang);
  return room === '' ? nameOf(d, lang) : t.bench.of(room, nameOf(d, lang));
}

/** What a property is called: our word for the ones we know, the thing model's for the others. */
export function propName(device: Device | undefined, id: string, lang: Lang, t: Catalogue): string {
  const p = device && property(device, id);
  return entry(t.props, id) ?? (p && nameIn(p.names, lang)) ?? id;
}

/** A value as a person reads it: 开, 50%, 制冷, 3000 K. */
export function valueText(device: Device | undefined, id: string, value: unknown, lang: Lang, t: Catalogue): string {
  const p = device && property(device, id);
  if (id === 'powerstate') return value === 1 || value === true ? t.things.on : t.things.off;
  if (id === 'color' && typeof value === 'number') return `#${value.toString(16).padStart(6, '0')}`;
  const known = p?.enum.find((e) => e.value === value);
  if (known) return nameIn(known.names, lang);
  if (typeof value === 'string') return entry(t.modes, value) ?? value;
  if (typeof value === 'number') return figure(value, p?.unit ?? (id === 'brightness' ? '%' : ''), lang);
  return typeof value === 'boolean' ? (value ? t.things.on : t.things.off) : JSON.stringify(value) || '';
}

const reported = (d: Device, id: string, lang: Lang, t: Catalogue) => {
  const v = d.state[id]?.value;
  return v === undefined || v === null ? undefined : valueText(d, id, v, lang, t);
};

/** The state of a thing in one short line: 开 · 50%. */
export function stateLine(d: Device, lang: Lang, t: Catalogue): string {
  if (Object.keys(d.state).length === 0) return t.things.unknown;
  const on = flag(d, 'powerstate');
  const power = on === undefined ? undefined : on ? t.things.on : t.things.off;
  const value = (id: string) => reported(d, id, lang, t);
  const join = (...parts: (string | undefined)[]) => parts.filter((p) => p !== undefined && p !== '').join(' · ');
  if (isLamp(d)) {
    const bright = value('brightness');
    return on === false ? join(t.things.off, bright && t.things.setTo(bright)) : join(power, bright);
  }
  switch (d.category) {
    case 'curtain':
      return curtainText(number(d, 'position'), t) ?? t.things.unknown;
    case 'air_conditioner':
      return on === false ? t.things.off : join(value('mode') ?? power, value('targetTemperature'));
    case 'kettle':
      return join(on ? t.things.boiling : power, value('temperature'));
    case 'fan': {
      const speed = number(d, 'windspeed');
      return on === false ? t.things.off : join(power, speed === undefined ? undefined : fanText(d, speed, lang, t));
    }
    case 'sensor':
      return join(value('temperature'), value('humidity')) || t.things.unknown;
    default:
      return join(power, ...Object.keys(d.state).filter((id) => id !== 'powerstate').slice(0, 2).map(value)); // prettier-ignore
  }
}

function fanText(d: Device, speed: number, lang: Lang, t: Catalogue): string {
  const named = property(d, 'windspeed')?.enum.some((e) => e.value === speed);
  return named ? valueText(d, 'windspeed', speed, lang, t) : t.things.level(speed);
}

function curtainText(position: number | undefined, t: Catalogue): string | undefined {
  if (position === undefined) return undefined;
  if (position <= 0) return t.things.curtainShut;
  return position >= 100 ? t.things.curtainOpen : t.things.curtainAt(position);
}

/** When the newest of a device's values was reported, or '' if none was. */
export function lastReport(d: Device): string {
  return Object.values(d.state).reduce((last, v) => (v.time > last ? v.time : last), '');
}

/** The first desired value that the device does not report (yet), as text; '' when all agree; undefined without any wish. */
export function unmet(d: Device, lang: Lang, t: Catalogue): string | undefined {
  const wishes = Object.entries(d.desired);
  if (wishes.length === 0) return undefined;
  const open = wishes.find(([id, w]) => JSON.stringify(d.state[id]?.value) !== JSON.stringify(w.value));
  if (!open) return '';
  return `${propName(d, open[0], lang, t)}${nbsp}${valueText(d, open[0], open[1].value, lang, t)}`;
}

/** The state of the home in one sentence, for the line below the title. */
export function homeSentence(home: Home, lang: Lang, t: Catalogue): string {
  const all = home.devices.length;
  const online = home.devices.filter((d) => d.online).length;
  const lit = home.devices.filter((d) => isLamp(d) && d.online && lightOf(d).on);
  const naughty = home.devices.filter((d) => d.virtual && d.fault !== 'none').length;
  const parts = [online === all ? t.bench.allOnline(all) : t.bench.someOnline(online, all)];
  const [first] = lit;
  if (home.devices.some(isLamp)) {
    if (!first) parts.push(t.bench.lampsNone);
    else parts.push(lit.length === 1 ? t.bench.lampsOne(placed(home, first, lang, t)) : t.bench.lampsMany(lit.length));
  }
  if (naughty > 0) parts.push(t.bench.misbehaving(naughty));
  return t.bench.sentence(parts);
}

/** The pills at the foot of the scene. */
export function lampPills(d: Device, lang: Lang, t: Catalogue): { label: string; value: string; swatch?: string }[] {
  const light = lightOf(d);
  const pills: { label: string; value: string; swatch?: string }[] = [
    { label: t.scene.power, value: light.on ? t.scene.on : t.scene.off },
  ];
  if (light.percent !== undefined) {
    pills.push({ label: t.scene.brightness, value: figure(light.percent, '%', lang) });
  }
  if (light.tone?.kind === 'kelvin') {
    pills.push({ label: t.scene.temperature, value: figure(light.tone.kelvin, 'K', lang) });
  } else if (light.tone && colourValue(d)) {
    pills.push({ label: t.scene.color, value: light.tone.hex, swatch: light.tone.hex });
  }
  return pills;
}

const succeeded = (target: Target) => /^(done|already|answered)$/.test(target.outcome);

/** What one stage did, in words made from the answer; the server's own detail stands below it. */
export function stageText(
  stage: string,
  a: Answer,
  home: Home,
  lang: Lang,
  t: Catalogue,
): { text: string; code: boolean } {
  const plain = (text: string) => ({ text, code: false });
  const targets = a.actions.flatMap((x) => x.targets);
  const first = targets[0];
  switch (stage) {
    case 'hear':
      return plain(t.road.quote(a.text));
    case 'understand': {
      const act = a.actions[0];
      return plain(act ? actText(act, home, lang, t) : (entry(t.outcomes, a.outcome) ?? a.outcome));
    }
    case 'resolve': {
      if (!first) return plain(a.candidates.length > 1 ? t.road.all(a.candidates.length) : t.road.nothing);
      const device = home.devices.find((d) => d.id === first.device);
      const room = (device && roomOf(home, device.room, lang)) || first.room;
      const where = [room, device ? nameOf(device, lang) : first.name].filter(Boolean).join(' / ');
      return plain(targets.length > 1 ? `${where} · ${t.road.all(targets.length)}` : where);
    }
    case 'send': {
      const sets = a.actions.filter((x) => x.prop !== '' && x.value !== undefined && x.op !== 'query');
      if (sets.length === 0) return plain(t.road.nothing);
      return { text: sets.map((x) => `${x.prop}=${wire(x.value)}`).join(' '), code: true };
    }
    case 'confirm': {
      if (!first) return plain(t.road.nothing);
      const good = targets.filter(succeeded).length;
      if (good === targets.length) return plain(t.road.confirmed);
      if (good > 0) return plain(t.road.partly(good, targets.length));
      return plain(entry(t.reasons, first.reason) ?? t.reasons.other);
    }
    case 'answer':
      return plain(t.road.quote(a.reply));
    default:
      return plain('');
  }
}

const wire = (value: unknown) =>
  typeof value === 'boolean' ? String(Number(value)) : typeof value === 'string' ? value : JSON.stringify(value);

function actText(act: Act, home: Home, lang: Lang, t: Catalogue): string {
  const device = home.devices.find((d) => d.id === act.targets[0]?.device);
  const prop = propName(device, act.prop, lang, t);
  if (act.op === 'query') return t.ops.query(prop);
  if (act.op === 'scene') return t.ops.scene;
  if (act.op === 'timer') return t.ops.timer;
  if (act.prop === 'powerstate') return act.value === 1 || act.value === true ? t.ops.on : t.ops.off;
  if (act.value !== undefined && act.value !== null) {
    return t.ops.set(prop, valueText(device, act.prop, act.value, lang, t));
  }
  if (/up|increase|more/.test(act.direction)) return t.ops.up(prop);
  return /down|decrease|less/.test(act.direction) ? t.ops.down(prop) : t.ops.adjust(prop);
}
