// @vitest-environment node
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { Stage } from '../api/model';
import { asCommand, asCurl, changedAt, layoutBar, shellQuote, ticks } from './road';

const stages = (...lengths: number[]): Stage[] => {
  let at = 0;
  return lengths.map((lengthUS, i) => {
    const stage = { name: `s${i}`, startUS: at, lengthUS, detail: '' };
    at += lengthUS;
    return stage;
  });
};
const total = (s: Stage[]) => s.reduce((sum, x) => sum + x.lengthUS, 0);
const floor = 0.7;

describe('layoutBar', () => {
  test('is at true scale', () => {
    const s = stages(100, 300, 600);
    expect(layoutBar(s, 1000, floor).map((x) => [x.from, x.to])).toEqual([
      [0, 10],
      [10, 40],
      [40, 100],
    ]);
  });
  test('leaves pauses between stages empty', () => {
    const [a, b] = stages(100, 100);
    if (!a || !b) throw new Error('two stages');
    expect(layoutBar([a, { ...b, startUS: 900 }], 1000, floor).map((x) => [x.from, x.to])).toEqual([
      [0, 10],
      [90, 100],
    ]);
  });
  test.each([
    ['thin ones in front', [1, 1, 1, 997_000]],
    ['thin ones behind', [997_000, 1, 1, 1]],
    ['the mock’s example', [236_000, 400, 200, 3100, 38_000, 92_000]],
    ['nothing took any time', [0, 0, 0]],
    ['one alone', [5]],
  ])('%s: all are seen, none overlaps, all fit, the long ones stay true', (_, lengths) => {
    const s = stages(...lengths);
    const bar = layoutBar(s, total(s), floor);
    let at = 0;
    for (const [i, seg] of bar.entries()) {
      expect(seg.from).toBeGreaterThanOrEqual(at - 1e-9);
      expect(seg.to - seg.from).toBeGreaterThanOrEqual(floor - 1e-9);
      const stage = s[i];
      if (stage && stage.lengthUS > total(s) * 0.2) {
        const width = (stage.lengthUS / total(s)) * 100;
        expect(Math.abs(seg.to - seg.from - width)).toBeLessThanOrEqual(floor * 3 + 1e-9);
      }
      at = seg.to;
    }
    expect(at).toBeLessThanOrEqual(100 + 1e-9);
  });
});

test.each([
  [370_000, [0, 100_000, 200_000, 300_000, 370_000]],
  [4900, [0, 1000, 2000, 3000, 4000, 4900]],
  [1_000_000, [0, 200_000, 400_000, 600_000, 800_000, 1_000_000]],
  [0, [0]],
])('ticks of %i µs', (us, want) => {
  expect(ticks(us).map((m) => Math.round(m.us))).toEqual(want);
});

test('the device had changed when the confirming stage ended', () => {
  const s = stages(10, 20).map((x, i) => ({ ...x, name: ['send', 'confirm'][i] ?? '' }));
  expect(changedAt(s)).toBe(30);
  expect(changedAt(s.slice(0, 1))).toBeUndefined();
});

describe('copies for a terminal', () => {
  const nasty = ["it's", '"$HOME"', 'a b', '`id`', '把灯\n打开', '\\', '--help', ''];
  test.each(nasty)('the shell reads back %j', (word) => {
    const out = execFileSync('sh', ['-c', `printf %s ${shellQuote(word)}`], { encoding: 'utf8' });
    expect(out).toBe(word);
  });
  test('curl', () => {
    const spoken = { origin: 'http://127.0.0.1:8080', home: 'h 1', room: 'r', text: "don't" };
    expect(asCurl(spoken)).toBe(
      [
        'curl -sS http://127.0.0.1:8080/api/v1/homes/h%201/sentences',
        '-H "Authorization: Bearer $LAMPWORKS_TOKEN"',
        "-H 'Content-Type: application/json'",
        `--data-raw '{"text":"don'\\''t","room":"r"}'`,
      ].join(' \\\n  '),
    );
    expect(asCommand(spoken)).toBe(
      `lampworks say --server http://127.0.0.1:8080 --token "$LAMPWORKS_TOKEN" --home 'h 1' 'don'\\''t'`,
    );
  });
});
