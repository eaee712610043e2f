import type { Lang, Names } from '../api/model';

export const nbsp = '\u00a0';

/** A span of microseconds as milliseconds with a useful number of digits: 0.04 ms, 3.1 ms, 236 ms, 12.5 s. */
export function span(us: number): string {
  const ms = Math.max(us, 0) / 1000;
  if (ms === 0) return `0${nbsp}ms`;
  if (ms < 0.01) return `<${nbsp}0.01${nbsp}ms`;
  if (ms < 0.1) return `${ms.toFixed(2)}${nbsp}ms`;
  if (ms < 99.95) return `${ms.toFixed(1).replace(/\.0$/, '')}${nbsp}ms`;
  if (ms < 9999.5) return `${ms.toFixed(0)}${nbsp}ms`;
  return `${(ms / 1000).toFixed(1)}${nbsp}s`;
}

const two = (n: number) => String(n).padStart(2, '0');

/** The time of day of an instant in the viewer's zone, with milliseconds as logs need them. */
export function clock(instant: string | number, millis = true): string {
  const d = new Date(instant);
  if (Number.isNaN(d.getTime())) return '';
  const seconds = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
  return millis ? `${seconds}.${String(d.getMilliseconds()).padStart(3, '0')}` : seconds;
}

/** The whole instant with its zone, for a tooltip. */
export function instant(at: string | number, lang: Lang): string {
  const d = new Date(at);
  if (Number.isNaN(d.getTime())) return '';
  return d.toLocaleString(lang === 'en' ? 'en-GB' : lang, { dateStyle: 'long', timeStyle: 'long' });
}

/** A figure with its unit as each language writes it: 50% and 26°C in Chinese, 50 % and 26 °C in English; 3000 K in both. */
export function figure(value: number, unit: string, lang: Lang): string {
  const digits = String(Math.round(value * 10) / 10);
  if (unit === '') return digits;
  const close = lang === 'zh-CN' && (unit === '%' || unit.startsWith('°') || unit === '℃');
  return `${digits}${close ? '' : nbsp}${unit}`;
}

/** A name in the wanted language, or in any it has, or the fallback. */
export function nameIn(names: Names, lang: Lang, fallback = ''): string {
  return names[lang] || names['zh-CN'] || names['en'] || Object.values(names)[0] || fallback;
}
