import { expect, test } from 'vitest';
import { windowOf } from './useWindowed';

test.each([
  [5, 0, 12, { from: 0, to: 5, above: 0, below: 0 }],
  [500, 0, 12, { from: 0, to: 24, above: 0, below: 476 * 36 }],
  [500, 100, 12, { from: 88, to: 124, above: 88 * 36, below: 376 * 36 }],
  [500, 488, 12, { from: 476, to: 500, above: 476 * 36, below: 0 }],
  [3, 400, 12, { from: 3, to: 3, above: 108, below: 0 }], // the list became short; the browser scrolls back by itself
])('%i rows, the first in sight is %i', (count, first, seen, want) => {
  expect(windowOf(count, first, seen, 36)).toEqual(want);
});
