import type { Device, Property } from '../api/model';

export type RGB = readonly [number, number, number];

/** How a lamp shines now. */
export interface Light {
  on: boolean;
  /** 0 dark .. 1 as bright as it can. */
  level: number;
  /** Per cent as the device says it, or undefined if it has no brightness. */
  percent: number | undefined;
  rgb: RGB;
  /** What gave the colour. */
  tone: { kind: 'kelvin'; kelvin: number } | { kind: 'color'; hex: string } | undefined;
}

const warmWhite: RGB = [255, 207, 143];

/** A bool of the wire (0, 1) or of JSON; undefined when it was never reported. */
export function flag(device: Device, id: string): boolean | undefined {
  const v = device.state[id]?.value;
  return v === undefined || v === null ? undefined : v === 1 || v === true || v === '1' || v === 'on';
}

/** A number, or undefined when it was never reported. */
export function number(device: Device, id: string): number | undefined {
  const v = device.state[id]?.value;
  return typeof v === 'number' && Number.isFinite(v) ? v : undefined;
}

export const property = (device: Device, id: string): Property | undefined =>
  device.properties.find((p) => p.identifier === id);

/** Whether the scene can show this device. */
export function isLamp(device: Device): boolean {
  return /light|lamp/.test(device.category);
}

export function lightOf(device: Device): Light {
  const brightness = number(device, 'brightness');
  const power = flag(device, 'powerstate');
  const on = power ?? (brightness !== undefined && brightness > 0);
  const max = property(device, 'brightness')?.max ?? 100;
  const level = !on ? 0 : brightness === undefined ? 1 : Math.min(Math.max(brightness / max, 0.01), 1);
  return { on, level, percent: brightness, ...colourOf(device) };
}

/** Colour and colour temperature exclude each other: the one that was set last is the one that shines. */
function colourOf(device: Device): Pick<Light, 'rgb' | 'tone'> {
  const kelvin = number(device, 'colorTemperature');
  const colour = colourValue(device);
  const colourAt = device.state['color']?.time ?? '';
  const kelvinAt = device.state['colorTemperature']?.time ?? '';
  if (colour && (kelvin === undefined || colourAt > kelvinAt)) {
    return { rgb: colour, tone: { kind: 'color', hex: hexOf(colour) } };
  }
  if (kelvin !== undefined) return { rgb: kelvinRGB(kelvin), tone: { kind: 'kelvin', kelvin } };
  return { rgb: warmWhite, tone: undefined };
}

const named: Record<string, RGB> = {
  red: [255, 70, 50],
  orange: [255, 140, 40],
  yellow: [255, 214, 70],
  green: [90, 220, 110],
  cyan: [80, 215, 225],
  blue: [80, 130, 255],
  purple: [170, 95, 255],
  pink: [255, 130, 185],
  white: [255, 244, 229],
};

/** The reported colour: 0xRRGGBB as an integer, "#rrggbb", a name, or a struct of red, green, blue or of hue, saturation. */
export function colourValue(device: Device): RGB | undefined {
  const v = device.state['color']?.value;
  if (typeof v === 'number') {
    const known = property(device, 'color')?.enum.find((e) => e.value === v);
    if (known) return named[known.names['en']?.toLowerCase() ?? ''];
    return v >= 0 && v <= 0xffffff ? [(v >> 16) & 255, (v >> 8) & 255, v & 255] : undefined;
  }
  if (typeof v === 'string') {
    const hex = /^#?([0-9a-f]{6})$/i.exec(v)?.[1];
    if (hex === undefined) return named[v.toLowerCase()];
    const n = parseInt(hex, 16);
    return [(n >> 16) & 255, (n >> 8) & 255, n & 255];
  }
  if (typeof v !== 'object' || v === null) return undefined;
  const f = Object.fromEntries(Object.entries(v).map(([k, x]) => [k.toLowerCase(), typeof x === 'number' ? x : NaN]));
  const [red, green, blue] = [f['red'] ?? f['r'], f['green'] ?? f['g'], f['blue'] ?? f['b']];
  if (red !== undefined && green !== undefined && blue !== undefined) return [red, green, blue];
  const hue = f['hue'] ?? f['h'];
  const saturation = f['saturation'] ?? f['s'];
  return hue === undefined || saturation === undefined ? undefined : hueRGB(hue, saturation / 100);
}

/** Hue in degrees and saturation 0..1 at full value. */
export function hueRGB(hue: number, saturation: number): RGB {
  const part = (n: number) => {
    const k = (n + hue / 60) % 6;
    return Math.round(255 * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1))));
  };
  return [part(5), part(3), part(1)];
}

/** The colour of a black body, after Tanner Helland's fit of 2012; good from 1,500 K to 9,000 K, and clamped there. */
export function kelvinRGB(kelvin: number): RGB {
  const t = Math.min(Math.max(kelvin, 1500), 9000) / 100;
  const red = t <= 66 ? 255 : 329.698727446 * (t - 60) ** -0.1332047592;
  const green = t <= 66 ? 99.4708025861 * Math.log(t) - 161.1195681661 : 288.1221695283 * (t - 60) ** -0.0755148492;
  const blue = t >= 66 ? 255 : 138.5177312231 * Math.log(t - 10) - 305.0447927307;
  const byte = (x: number) => Math.round(Math.min(Math.max(x, 0), 255));
  return [byte(red), byte(green), byte(blue)];
}

const hexOf = (rgb: RGB) => `#${rgb.map((c) => Math.round(c).toString(16).padStart(2, '0')).join('')}`;

export const cssRGB = (rgb: RGB) => `rgb(${rgb.map((c) => Math.round(c)).join(' ')})`;
