import { expect, test } from 'vitest';
import { arrive, createDoor } from './session';

test.each([
  ['/', '#token=lw_a%2Bb', { token: 'lw_a+b', code: '' }, '/'],
  ['/setup', '#Qx-12', { token: '', code: 'Qx-12' }, '/setup'],
  ['/setup', '', { token: '', code: '' }, undefined],
  ['/bench', '#main', { token: '', code: '' }, undefined],
])('opened at %s%s', (pathname, hash, want, left) => {
  let address: string | undefined;
  const history = { state: null, replaceState: (_: unknown, __: string, to: string) => (address = to) };
  const at = { pathname, hash, search: '' };
  expect(arrive(at as Location, history as unknown as History)).toEqual(want);
  expect(address).toBe(left); // a secret leaves the address at once
});

test('the door tells each change once', () => {
  const door = createDoor();
  let told = 0;
  const leave = door.subscribe(() => told++);
  door.shut();
  door.shut();
  expect([door.isShut(), told]).toEqual([true, 1]);
  door.open();
  leave();
  door.shut();
  expect(told).toBe(2);
});
