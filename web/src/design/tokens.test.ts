// @vitest-environment node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const css = readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8');
const blockAfter = (start: string) => {
  const at = css.indexOf(start);
  if (at < 0) throw new Error(`tokens.css has no ${start}`);
  return css.slice(at, css.indexOf('}', at));
};
const colours = (block: string) =>
  Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map((m) => [m[1] ?? '', m[2] ?? '']));

const light = colours(blockAfter('\n:root {'));
const dark = { ...light, ...colours(blockAfter(':root[data-theme=dark]')) };

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

const both = ['surface', 'bg'];
const text: [string, string[]][] = [
  ...['ink', 'ink-2', 'ink-3'].map((ink): [string, string[]] => [ink, [...both, 'sunken']]),
  ...['flame', 'glass', 'ok', 'warn', 'bad', 'info'].map((c): [string, string[]] => [c, both]),
  ['on-flame', ['flame', 'flame-hover']],
  ...['flame', 'glass', 'ok', 'warn', 'bad', 'info'].map((c): [string, string[]] => [`${c}-ink`, [`${c}-soft`]]),
];
const graphics: [string, string[]][] = [
  ['edge', both],
  ...['d1', 'd2', 'd3', 'd4', 'd5', 'd6'].map((d): [string, string[]] => [d, ['surface']]),
];

describe.each([
  ['light', light],
  ['dark', dark],
] as [string, Record<string, string>][])('contrast, %s', (_, theme) => {
  const check = (pairs: [string, string[]][], least: number) => {
    for (const [front, backs] of pairs) {
      for (const back of backs) {
        const [a, b] = [theme[front], theme[back]];
        if (a === undefined || b === undefined) throw new Error(`no token ${front} or ${back}`);
        expect(contrast(a, b), `${front} on ${back}`).toBeGreaterThanOrEqual(least);
      }
    }
  };
  test('text is at least 4.5', () => check(text, 4.5));
  test('borders and graphics are at least 3', () => check(graphics, 3));
});

test('the scene’s pills are readable whatever lies behind them', () => {
  // #f5ede2 and #cfc3b4 on rgb(20 15 11 / .78) over white, the brightest there can be
  const over =
    '#' +
    [20, 15, 11]
      .map((c) =>
        Math.round(c * 0.78 + 255 * 0.22)
          .toString(16)
          .padStart(2, '0'),
      )
      .join('');
  expect(contrast('#f5ede2', over)).toBeGreaterThanOrEqual(4.5);
  expect(contrast('#cfc3b4', over)).toBeGreaterThanOrEqual(4.5);
});

test('dark by choice and dark by system are the same', () => {
  expect(colours(blockAfter(':root:not([data-theme=light])'))).toEqual(colours(blockAfter(':root[data-theme=dark]')));
});
