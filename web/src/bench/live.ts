import type { Home, Value } from '../api/model';

/** Events of GET /api/v1/homes/{home}/live, by the name the stream gives them. */
export type LiveEvent =
  | { kind: 'state'; device: string; properties: Record<string, Value> }
  | { kind: 'presence'; device: string; online: boolean; at: string; reason: string }
  | { kind: 'command'; id: string; device: string; state: string; params: unknown; what: string; at: string } // at: accepted
  | { kind: 'message'; message: Message }
  | { kind: 'announcement'; id: string; text: string; lang: string }
  | { kind: 'gap' };

/** One device message as the log shows it. */
export interface Message {
  pos: string;
  at: string;
  direction: 'up' | 'down';
  device: string;
  topic: string;
  payload: string;
  result: string;
  /** Microseconds, or undefined when it was not measured. */
  tookUS: number | undefined;
}

type Fields = Record<string, unknown>;
const fieldsOf = (v: unknown): Fields | undefined =>
  typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Fields) : undefined;
const text = (v: unknown): string =>
  typeof v === 'string' ? v : typeof v === 'number' || typeof v === 'bigint' ? String(v) : '';

/** Reads one event of the stream; what it does not know or cannot read is undefined, never an exception. */
export function readEvent(kind: string, data: string): LiveEvent | undefined {
  if (kind === 'gap') return { kind };
  let body: Fields | undefined;
  try {
    body = fieldsOf(JSON.parse(data));
  } catch {
    return undefined;
  }
  if (!body) return undefined;
  const device = text(body['device']);
  switch (kind) {
    case 'state': {
      const properties: Record<string, Value> = {};
      for (const [name, v] of Object.entries(fieldsOf(body['properties']) ?? {})) {
        const value = fieldsOf(v);
        if (value && 'value' in value) properties[name] = { value: value['value'], time: text(value['time']) };
      }
      return { kind, device, properties };
    }
    case 'presence':
      return { kind, device, online: body['online'] === true, at: text(body['at']), reason: text(body['reason']) };
    case 'command':
      return {
        kind,
        id: text(body['id']),
        device,
        state: text(body['state']),
        params: body['params'],
        what: text(body['kind']),
        at: acceptedAt(text(body['at']), body['took_us']),
      };
    case 'message': {
      const payload = body['payload'];
      return {
        kind,
        message: {
          pos: text(body['pos']),
          at: text(body['at']),
          direction: body['direction'] === 'down' ? 'down' : 'up',
          device,
          topic: text(body['topic']),
          payload: typeof payload === 'string' ? payload : payload === undefined ? '' : JSON.stringify(payload),
          result: text(body['result']),
          tookUS: typeof body['took_us'] === 'number' ? body['took_us'] : undefined,
        },
      };
    }
    case 'announcement':
      return { kind, id: text(body['id']), text: text(body['text']), lang: text(body['lang']) };
    default:
      return undefined;
  }
}

/** A command is told when it ends; what it desires is as old as its beginning, and must not replace a later wish. */
function acceptedAt(at: string, tookUS: unknown): string {
  const ended = Date.parse(at);
  if (typeof tookUS !== 'number' || Number.isNaN(ended)) return at;
  return new Date(ended - Math.round(tookUS / 1000)).toISOString();
}

/** The home after one event. An older value never replaces a newer one; an event that changes nothing gives the same home. */
export function applyToHome(home: Home, event: LiveEvent): Home {
  if (event.kind === 'message' || event.kind === 'announcement' || event.kind === 'gap') return home;
  const i = home.devices.findIndex((d) => d.id === event.device);
  const device = home.devices[i];
  if (!device) return home;
  let next = device;
  switch (event.kind) {
    case 'state':
      next = { ...device, state: newer(device.state, event.properties) };
      if (next.state === device.state) return home;
      break;
    case 'presence':
      if (device.online === event.online) return home;
      next = { ...device, online: event.online };
      break;
    case 'command': {
      const wanted = fieldsOf(event.params);
      if (!wanted || /service/i.test(event.what)) return home;
      const values = Object.entries(wanted).map(([name, value]) => [name, { value, time: event.at }] as const);
      next = { ...device, desired: newer(device.desired, Object.fromEntries(values)) };
      if (next.desired === device.desired) return home;
      break;
    }
  }
  return { ...home, devices: home.devices.with(i, next) };
}

/** Merges values into old ones, the later of each; the same object when nothing changed. */
export function newer(old: Record<string, Value>, came: Record<string, Value>): Record<string, Value> {
  let out = old;
  for (const [name, value] of Object.entries(came)) {
    const had = out[name];
    if (had && (had.time > value.time || (had.time === value.time && had.value === value.value))) continue;
    if (out === old) out = { ...old };
    out[name] = value;
  }
  return out;
}

/** A home that was just read, joined with what the stream told meanwhile. */
export function mergeHome(known: Home | undefined, read: Home): Home {
  if (!known || known.id !== read.id) return read;
  const devices = read.devices.map((d) => {
    const before = known.devices.find((k) => k.id === d.id);
    return before ? { ...d, state: newer(before.state, d.state), desired: newer(before.desired, d.desired) } : d;
  });
  return { ...read, devices };
}

/** A line of the log. `came` is when this page got it, in ms of its own clock. */
export type Row =
  | { key: number; came: number; kind: 'message'; message: Message }
  | { key: number; came: number; kind: 'presence'; device: string; online: boolean; at: string; reason: string }
  | { key: number; came: number; kind: 'gap' }
  | { key: number; came: number; kind: 'dropped'; count: number };

export interface Log {
  /** Newest first. */
  rows: Row[];
  /** What came while paused, newest first; undefined when not paused. */
  held: Row[] | undefined;
  /** How many came while paused, also those that held no longer has. */
  heldCount: number;
  nextKey: number;
}

export const rowLimit = 500;
export const emptyLog: Log = { rows: [], held: undefined, heldCount: 0, nextKey: 1 };

export type LogAct =
  { act: 'add'; events: LiveEvent[]; dropped: number; now: number } | { act: 'pause' } | { act: 'resume' };

/** The log after one act. It never holds more than rowLimit rows, nor more than rowLimit rows behind a pause. */
export function logReducer(log: Log, act: LogAct): Log {
  switch (act.act) {
    case 'pause':
      return log.held ? log : { ...log, held: [], heldCount: 0 };
    case 'resume':
      if (!log.held) return log;
      return { ...log, rows: bounded(log.held, log.rows, log.heldCount), held: undefined, heldCount: 0 };
    case 'add': {
      const fresh = rowsOf(act, log.nextKey);
      if (fresh.length === 0) return log;
      const nextKey = log.nextKey + fresh.length;
      if (log.held) {
        const held = [...fresh, ...log.held].slice(0, rowLimit);
        const lost = Math.max(act.dropped - 1, 0); // of the dropped ones, the row that tells of them is counted already
        return { ...log, nextKey, held, heldCount: log.heldCount + fresh.length + lost };
      }
      return { ...log, nextKey, rows: bounded(fresh, log.rows, fresh.length) };
    }
  }
}

/** Joins new rows before old ones. If some of `came` rows were lost on the way, the old ones are no longer next to them: they go. */
function bounded(fresh: Row[], old: Row[], came: number): Row[] {
  return came > fresh.length ? fresh.slice(0, rowLimit) : [...fresh, ...old].slice(0, rowLimit);
}

function rowsOf(act: { events: LiveEvent[]; dropped: number; now: number }, key: number): Row[] {
  const rows: Row[] = [];
  const came = act.now;
  if (act.dropped > 0) rows.push({ key: key++, came, kind: 'dropped', count: act.dropped });
  for (const e of act.events) {
    if (e.kind === 'message') rows.push({ key: key++, came, kind: 'message', message: e.message });
    else if (e.kind === 'gap') rows.push({ key: key++, came, kind: 'gap' });
    else if (e.kind === 'presence') {
      rows.push({ key: key++, came, kind: 'presence', device: e.device, online: e.online, at: e.at, reason: e.reason });
    }
  }
  return rows.reverse();
}

/** Whether a row has every word of the filter. Gaps always stay: they concern every filter. */
export function matches(row: Row, words: string[], nameOf: (device: string) => string): boolean {
  if (words.length === 0 || row.kind === 'gap' || row.kind === 'dropped') return true;
  const hay =
    row.kind === 'message'
      ? [
          nameOf(row.message.device),
          row.message.device,
          row.message.direction,
          row.message.topic,
          row.message.payload,
          row.message.result,
        ]
      : [nameOf(row.device), row.device, row.online ? 'online' : 'offline', row.reason];
  const all = hay.join('\n').toLowerCase();
  return words.every((w) => all.includes(w));
}

/** The words of a filter: lower case, separated by spaces. */
export const wordsOf = (filter: string): string[] => filter.toLowerCase().split(/\s+/).filter(Boolean);
