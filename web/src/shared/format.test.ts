import { expect, test } from 'vitest';
import { figure, nameIn, nbsp, span } from './format';

test.each([
  [0, '0 ms'],
  [4, '< 0.01 ms'],
  [40, '0.04 ms'],
  [400, '0.4 ms'],
  [3100, '3.1 ms'],
  [38_000, '38 ms'],
  [236_400, '236 ms'],
  [1_501_000, '1501 ms'],
  [12_450_000, '12.4 s'],
])('%i µs', (us, want) => {
  expect(span(us).replaceAll(nbsp, ' ')).toBe(want);
});

test.each([
  [50, '%', 'zh-CN', '50%'],
  [50, '%', 'en', '50 %'],
  [26.04, '°C', 'zh-CN', '26°C'],
  [3000, 'K', 'zh-CN', '3000 K'],
  [7, '', 'en', '7'],
] as const)('%d %s in %s', (value, unit, lang, want) => {
  expect(figure(value, unit, lang).replaceAll(nbsp, ' ')).toBe(want);
});

test('a name falls back to another language, then to the fallback', () => {
  expect(nameIn({ 'zh-CN': '灯', en: 'lamp' }, 'en')).toBe('lamp');
  expect(nameIn({ 'zh-CN': '灯' }, 'en')).toBe('灯');
  expect(nameIn({}, 'en', 'x')).toBe('x');
});
