import { expect, test } from 'vitest';
import type { Device } from '../api/model';
import { colourValue, hueRGB, kelvinRGB, lightOf } from './light';

const lamp = (values: Record<string, unknown>, times: Record<string, string> = {}): Device => ({
  id: 'l',
  room: '',
  names: {},
  category: 'colour_light',
  deviceName: 'l',
  online: true,
  virtual: true,
  fault: 'none',
  properties: [
    { identifier: 'brightness', names: {}, unit: '%', min: 1, max: 100, enum: [] },
    { identifier: 'color', names: {}, unit: '', min: undefined, max: undefined, enum: [] },
  ],
  state: Object.fromEntries(Object.entries(values).map(([k, value]) => [k, { value, time: times[k] ?? '1' }])),
  desired: {},
});

test.each([
  [{}, false, 0],
  [{ powerstate: 0, brightness: 80 }, false, 0],
  [{ powerstate: 1, brightness: 50 }, true, 0.5],
  [{ powerstate: 1 }, true, 1],
  [{ brightness: 20 }, true, 0.2],
  [{ powerstate: true, brightness: 1000 }, true, 1],
])('light of %j', (values, on, level) => {
  const light = lightOf(lamp(values));
  expect([light.on, light.level]).toEqual([on, level]);
});

test.each([
  [0xff8000, [255, 128, 0]],
  ['#00ff7f', [0, 255, 127]],
  ['Red', [255, 70, 50]],
  [{ Red: 1, Green: 2, Blue: 3 }, [1, 2, 3]],
  [{ hue: 120, saturation: 100, brightness: 40 }, [0, 255, 0]],
  ['mauve-ish', undefined],
  [-1, undefined],
  [null, undefined],
])('colour %j', (value, want) => {
  expect(colourValue(lamp({ color: value }))).toEqual(want);
});

test('of colour and colour temperature the later one shines', () => {
  const values = { color: 0x0000ff, colorTemperature: 3000 };
  expect(lightOf(lamp(values, { color: '2', colorTemperature: '1' })).rgb).toEqual([0, 0, 255]);
  expect(lightOf(lamp(values, { color: '1', colorTemperature: '2' })).tone).toEqual({ kind: 'kelvin', kelvin: 3000 });
});

test('warm light is redder than cold light', () => {
  const [warm, cold] = [kelvinRGB(2700), kelvinRGB(6500)];
  expect(warm[0] - warm[2]).toBeGreaterThan(cold[0] - cold[2] + 60);
  expect(hueRGB(0, 1)).toEqual([255, 0, 0]);
});
