import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Problem } from '../api/problem';
import { follow, verdictOn, type Manner } from './follow';

describe('a refusal', () => {
  const of = (status: number) => new Problem(status, '', 'no');
  test.each([
    [undefined, 'speaker', true, 'open'],
    [of(0), 'speaker', false, 'wait'],
    [of(503), 'watcher', false, 'wait'],
    [of(429), 'speaker', true, 'watch'],
    [of(429), 'watcher', true, 'wait'],
    [of(404), 'speaker', true, 'wait'],
    [of(404), 'speaker', false, 'stop'],
    [of(404), 'watcher', true, 'stop'],
    [of(403), 'speaker', true, 'stop'],
    [of(422), 'speaker', true, 'stop'],
  ] as const)('%s of a %s, placed %s: %s', (refusal, manner, placed, want) => {
    expect(verdictOn(refusal, manner, placed)).toBe(want);
  });
});

/** A stream as the browser makes it; the test opens and breaks it. */
class Stream extends EventTarget {
  static CLOSED = 2;
  static all: Stream[] = [];
  readyState = 0;
  onopen: (() => void) | undefined;
  onerror: (() => void) | undefined;
  constructor(readonly url: string) {
    super();
    Stream.all.push(this);
  }
  open() {
    this.readyState = 1;
    this.onopen?.();
  }
  refuse() {
    this.readyState = 2;
    this.onerror?.();
  }
  close() {
    this.readyState = 2;
  }
}

describe('a stream', () => {
  let refusals: Partial<Record<Manner, Problem>>;
  let told: string[];
  let asked: number;
  let end: () => void;
  const newest = () => Stream.all.at(-1) as Stream;
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  const begin = () => {
    end = follow({
      placed: true,
      url: (manner) => manner,
      onEvent: (e) => told.push(e.kind),
      onOpen: (manner) => told.push(`open ${manner}`),
      onLost: (_, why, stopped) => told.push(`${stopped ? 'stopped' : 'lost'} ${why?.status ?? ''}`.trim()),
      onDeaf: (why) => told.push(`deaf ${why.status}`),
      onFresh: (again) => told.push(again ? 'again' : 'first'),
      ask: (manner) => {
        asked++;
        return Promise.resolve(refusals[manner]);
      },
    });
  };
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('EventSource', Stream);
    [Stream.all, refusals, told, asked] = [[], {}, [], 0];
    begin();
  });
  afterEach(() => {
    end();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test('goes on without a speaker when there are too many, and as one when there is a place', async () => {
    refusals.speaker = new Problem(429, 'limit', '64 listen');
    newest().refuse();
    await pass(500);
    expect(newest().url).toBe('watcher');
    newest().open();
    await pass(60_000);
    expect(newest().url).toBe('watcher');
    delete refusals.speaker;
    await pass(60_000);
    expect(newest().url).toBe('speaker');
    newest().open();
    expect(told).toEqual(['deaf 429', 'open watcher', 'first', 'open speaker', 'again']);
    expect(Stream.all.slice(0, -1).every((s) => s.readyState === 2)).toBe(true);
  });

  test('says why it waits, asks less and less often, and comes back', async () => {
    newest().open();
    refusals = { speaker: new Problem(429, '', ''), watcher: new Problem(429, '', '') };
    newest().refuse();
    await pass(500);
    newest().refuse(); // as a watcher
    await pass(1000);
    expect(told.slice(2)).toEqual(['deaf 429', 'lost', 'lost 429']);
    asked = 0;
    await pass(60_000);
    expect(asked).toBeLessThan(9);
    expect(asked).toBeGreaterThan(3);
    refusals = {};
    await pass(15_000);
    newest().open();
    expect(told.at(-2)).toBe('open watcher');
    expect(told.at(-1)).toBe('again');
  });

  test('stops where asking again changes nothing', async () => {
    refusals.speaker = new Problem(403, 'forbidden', 'no');
    newest().refuse();
    await pass(500);
    expect(told).toEqual(['stopped 403']);
    await pass(600_000);
    expect([asked, Stream.all.length]).toEqual([1, 1]);
  });

  test('of a server that is away tells that alone', async () => {
    newest().open();
    refusals.speaker = new Problem(0, 'unreachable', '');
    newest().refuse();
    await pass(30_000);
    expect(told.slice(2)).toEqual(['lost']);
    delete refusals.speaker;
    await pass(15_000);
    newest().open();
    expect(told.slice(3)).toEqual(['open speaker', 'again']);
  });

  test('is over when it is left, whatever was asked', async () => {
    newest().refuse();
    end();
    await pass(60_000);
    expect([told, asked, Stream.all.length]).toEqual([[], 0, 1]);
  });
});
