import { useState } from 'react';
import type { Device, Fault, Home, Room } from '../api/model';
import { clock, instant, nameIn } from '../shared/format';
import { useWords } from '../texts/texts';
import { lastReport, nameOf, placed, stateLine } from './describe';
import { FaultMenu } from './FaultMenu';
import { isLamp } from './light';
import { Drawing } from './things/drawings';

const fewest = 12; // devices shown before somebody asks for all of them

interface ThingsProps {
  home: Home;
  /** The lamp in the scene. */
  lamp: Device | undefined;
  /** Devices that the last sentence meant: they are always shown, and marked. */
  meant: string[];
  show: (lamp: Device) => void;
  setFault: (device: Device, fault: Fault) => void;
}

/** The devices of the home as drawn things, by room. */
export function Things({ home, lamp, meant, show, setFault }: ThingsProps) {
  const { lang, t } = useWords();
  const [all, setAll] = useState(false);
  const inRooms = roomsOf(home);
  const shown = new Set(inRooms.flatMap((r) => r.devices).slice(0, all ? undefined : fewest));
  for (const d of home.devices) if (meant.includes(d.id)) shown.add(d);
  const hidden = home.devices.length - shown.size;
  return (
    <section className="things" aria-labelledby="things-title">
      <h2 className="vh" id="things-title">
        {t.things.title}
      </h2>
      <div className="rooms">
        {inRooms.map(({ room, devices }) => {
          const here = devices.filter((d) => shown.has(d));
          if (here.length === 0) return null;
          return (
            <div className="room" key={room?.id ?? ''} style={{ '--n': here.length } as React.CSSProperties}>
              <h3>{room ? nameIn(room.names, lang) : t.speaker.nowhere}</h3>
              <ul className="thing-list">
                {here.map((d) => (
                  <Thing
                    key={d.id}
                    home={home}
                    device={d}
                    inScene={d.id === lamp?.id}
                    meant={meant.includes(d.id)}
                    show={() => show(d)}
                    setFault={(fault) => setFault(d, fault)}
                  />
                ))}
              </ul>
            </div>
          );
        })}
      </div>
      {hidden > 0 && (
        <button type="button" className="btn btn-s btn-line" onClick={() => setAll(true)}>
          {t.things.more(hidden)}
        </button>
      )}
    </section>
  );
}

interface ThingProps {
  home: Home;
  device: Device;
  inScene: boolean;
  meant: boolean;
  show: () => void;
  setFault: (fault: Fault) => void;
}

function Thing({ home, device, inScene, meant, show, setFault }: ThingProps) {
  const { lang, t } = useWords();
  const at = lastReport(device);
  const lamp = isLamp(device);
  const kind = ['thing', !device.online && 'is-away', inScene && 'is-shown', meant && 'is-meant', lamp && 'is-lamp'];
  const state = stateLine(device, lang, t);
  return (
    <li className={kind.filter(Boolean).join(' ')} data-device={device.id} data-category={device.category}>
      <Drawing device={device} />
      <div className="thing-name">
        <span className={device.online ? 'led led-on' : 'led led-off'} />
        {lamp ? (
          <button
            type="button"
            className="thing-show"
            aria-pressed={inScene}
            aria-label={t.things.show(placed(home, device, lang, t))}
            title={inScene ? t.things.shown : undefined}
            onClick={show}
          >
            {nameOf(device, lang)}
          </button>
        ) : (
          <span>{nameOf(device, lang)}</span>
        )}
        <span className="vh">{device.online ? t.things.online : t.things.offline}</span>
      </div>
      <p className="thing-state" title={at === '' ? undefined : instant(at, lang)}>
        {device.online ? state : `${t.things.offline} · ${at === '' ? state : clock(at, false)}`}
      </p>
      {device.virtual && <FaultMenu device={device} pick={setFault} />}
    </li>
  );
}

/** Rooms in the home's order with their devices; what stands in no room comes last. */
function roomsOf(home: Home): { room: Room | undefined; devices: Device[] }[] {
  const known = new Set(home.rooms.map((r) => r.id));
  const rooms: { room: Room | undefined; devices: Device[] }[] = home.rooms.map((room) => ({
    room,
    devices: home.devices.filter((d) => d.room === room.id),
  }));
  return [...rooms, { room: undefined, devices: home.devices.filter((d) => !known.has(d.room)) }];
}
