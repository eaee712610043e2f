import { describe, expect, test } from 'vitest';
import type { Home } from '../api/model';
import {
  applyToHome,
  emptyLog,
  logReducer,
  matches,
  mergeHome,
  readEvent,
  rowLimit,
  wordsOf,
  type LiveEvent,
  type Log,
} from './live';

const t1 = '2026-11-24T06:00:00.000Z';
const t2 = '2026-11-24T06:00:00.500Z';
const t3 = '2026-11-24T06:00:01.000Z';

const home: Home = {
  id: 'h',
  names: {},
  rooms: [],
  devices: ['a', 'b'].map((id) => ({
    id,
    room: 'r',
    names: { en: id },
    category: 'light',
    deviceName: id,
    online: true,
    virtual: true,
    fault: 'none',
    properties: [],
    state: { brightness: { value: 80, time: t2 } },
    desired: {},
  })),
};

const stateOf = (h: Home, id: string) => h.devices.find((d) => d.id === id)?.state['brightness']?.value;
const message = (pos: number): LiveEvent => ({
  kind: 'message',
  message: {
    pos: String(pos),
    at: t1,
    direction: 'up',
    device: 'a',
    topic: '/t',
    payload: '{}',
    result: 'stored',
    tookUS: 1,
  },
});
const add = (log: Log, from: number, to: number, dropped = 0) =>
  logReducer(log, {
    act: 'add',
    events: Array.from({ length: to - from }, (_, i) => message(from + i)),
    dropped,
    now: 0,
  });
const positions = (log: Log) => log.rows.map((r) => (r.kind === 'message' ? r.message.pos : r.kind));

describe('readEvent', () => {
  test.each([
    [
      'state',
      '{"device":"a","properties":{"p":{"value":1,"time":"T"},"q":7}}',
      { kind: 'state', device: 'a', properties: { p: { value: 1, time: 'T' } } },
    ],
    [
      'presence',
      '{"device":"a","online":true,"at":"T"}',
      { kind: 'presence', device: 'a', online: true, at: 'T', reason: '' },
    ],
    ['gap', '', { kind: 'gap' }],
    ['state', 'not json', undefined],
    ['state', '[1]', undefined],
    ['weather', '{}', undefined],
  ])('%s %s', (kind, data, want) => {
    expect(readEvent(kind, data)).toEqual(want);
  });
  test('a message keeps its payload as text, whether it came as text or as JSON', () => {
    const read = (payload: string) => {
      const e = readEvent('message', `{"pos":7,"direction":"down","device":"a","payload":${payload}}`);
      return e?.kind === 'message' ? [e.message.pos, e.message.direction, e.message.payload] : e;
    };
    expect(read('{"id":"1"}')).toEqual(['7', 'down', '{"id":"1"}']);
    expect(read('"\\u0000raw"')).toEqual(['7', 'down', '\u0000raw']);
  });
});

test('a command that ended is as old as its beginning', () => {
  const read = (more: string) => {
    const e = readEvent('command', `{"id":"c","device":"a","at":"2026-01-01T00:00:05.000Z"${more}}`);
    return e?.kind === 'command' ? e.at : e;
  };
  expect(read('')).toBe('2026-01-01T00:00:05.000Z');
  expect(read(',"took_us":1500400')).toBe('2026-01-01T00:00:03.500Z');
});

describe('applyToHome', () => {
  const state = (device: string, value: number, time: string): LiveEvent => ({
    kind: 'state',
    device,
    properties: { brightness: { value, time } },
  });
  test('a newer value replaces, an older one does not', () => {
    expect(stateOf(applyToHome(home, state('a', 50, t3)), 'a')).toBe(50);
    expect(applyToHome(home, state('a', 10, t1))).toBe(home);
  });
  test('only the device that is meant changes', () => {
    const next = applyToHome(home, state('a', 50, t3));
    expect(next.devices[1]).toBe(home.devices[1]);
    expect(applyToHome(home, state('nobody', 1, t3))).toBe(home);
  });
  test('presence', () => {
    const off: LiveEvent = { kind: 'presence', device: 'b', online: false, at: t3, reason: 'keep-alive' };
    const next = applyToHome(home, off);
    expect(next.devices.map((d) => d.online)).toEqual([true, false]);
    expect(applyToHome(next, off)).toBe(next);
  });
  test('a property command becomes a wish, a service does not', () => {
    const command = (what: string): LiveEvent => ({
      kind: 'command',
      id: 'c',
      device: 'a',
      state: 'sent',
      params: { brightness: 30 },
      what,
      at: t3,
    });
    expect(applyToHome(home, command('property_set')).devices[0]?.desired).toEqual({
      brightness: { value: 30, time: t3 },
    });
    expect(applyToHome(home, command('service'))).toBe(home);
  });
  test('reading the home anew takes back nothing that the stream told meanwhile', () => {
    const told = applyToHome(home, state('a', 50, t3));
    expect(stateOf(mergeHome(told, home), 'a')).toBe(50);
    expect(mergeHome(undefined, home)).toBe(home);
    expect(mergeHome({ ...told, id: 'other' }, home)).toBe(home);
  });
});

describe('log', () => {
  test('newest first', () => {
    expect(positions(add(add(emptyLog, 1, 3), 3, 5))).toEqual(['4', '3', '2', '1']);
  });
  test('never more than the limit', () => {
    const log = add(add(emptyLog, 0, 400), 400, 1000);
    expect(log.rows).toHaveLength(rowLimit);
    expect(positions(log)[0]).toBe('999');
    expect(positions(log).at(-1)).toBe('500');
  });
  test('a pause holds, bounded and counted; what no longer fits ends the old rows instead of hiding a hole', () => {
    let log = logReducer(add(emptyLog, 0, 10), { act: 'pause' });
    log = add(log, 10, 12);
    expect([positions(log)[0], log.heldCount]).toEqual(['9', 2]);
    expect(positions(logReducer(log, { act: 'resume' })).slice(0, 3)).toEqual(['11', '10', '9']);
    log = add(log, 12, 1012);
    expect([log.held?.length, log.heldCount]).toEqual([rowLimit, 1002]);
    const resumed = logReducer(log, { act: 'resume' });
    expect(positions(resumed)).toHaveLength(rowLimit);
    expect(positions(resumed)).not.toContain('9');
    expect(resumed.held).toBeUndefined();
    expect(add(logReducer(emptyLog, { act: 'pause' }), 0, 500, 2500).heldCount).toBe(3000);
  });
  test('gaps and drops are rows; keys are never used twice', () => {
    const log = logReducer(add(emptyLog, 0, 2), {
      act: 'add',
      events: [{ kind: 'gap' }, message(2)],
      dropped: 9,
      now: 0,
    });
    expect(positions(log)).toEqual(['2', 'gap', 'dropped', '1', '0']);
    expect(new Set(log.rows.map((r) => r.key)).size).toBe(log.rows.length);
  });
  test('states alone draw nothing', () => {
    const event: LiveEvent = { kind: 'state', device: 'a', properties: {} };
    expect(logReducer(emptyLog, { act: 'add', events: [event], dropped: 0, now: 0 })).toBe(emptyLog);
  });
});

test.each([
  ['', true],
  ['lamp', true],
  ['LAMP stored', true],
  ['lamp refused', false],
])('filter %j', (filter, want) => {
  const row = add(emptyLog, 1, 2).rows[0];
  if (!row) throw new Error('no row');
  expect(matches(row, wordsOf(filter), () => 'living room lamp')).toBe(want);
});

test('an announcement changes neither the home nor the log', () => {
  const said = readEvent('announcement', '{"id":"1","text":"饭好了","lang":"zh-CN","sound":"/x","at":""}');
  expect(said).toEqual({ kind: 'announcement', id: '1', text: '饭好了', lang: 'zh-CN' });
  if (!said) throw new Error('no event');
  expect(applyToHome(home, said)).toBe(home);
  expect(logReducer(emptyLog, { act: 'add', events: [said], dropped: 0, now: 0 })).toBe(emptyLog);
});
