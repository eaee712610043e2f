import { useLayoutEffect, useRef, useState } from 'react';

const beyond = 12; // rows drawn above and below what is seen

/** Which rows of a long list are drawn: those in sight and a few around them. */
export interface Windowed {
  from: number;
  to: number;
  /** px of the rows above and below that are not drawn. */
  above: number;
  below: number;
}

export function windowOf(count: number, first: number, seen: number, height: number): Windowed {
  const from = Math.min(Math.max(first - beyond, 0), count);
  const to = Math.min(Math.max(first + seen + beyond, from), count);
  return { from, to, above: from * height, below: (count - to) * height };
}

/**
 * Draws only the rows in sight of a scrolling box. All rows are of one height, told by the first `[data-row]`; `guess` is
 * it before the first drawing. Rows that come on top do not move what is being read further down.
 */
export function useWindowed(rows: { key: number }[], guess: number) {
  const box = useRef<HTMLDivElement>(null);
  const read = useRef<{ key: number; past: number } | undefined>(undefined);
  const [view, setView] = useState({ first: 0, seen: 16, height: guess });

  const look = () => {
    const at = box.current;
    if (!at) return;
    const height = at.querySelector('[data-row]')?.getBoundingClientRect().height || guess;
    const first = Math.floor(at.scrollTop / height);
    const row = rows[first];
    read.current = at.scrollTop > height / 2 && row ? { key: row.key, past: at.scrollTop - first * height } : undefined;
    const seen = Math.ceil(at.clientHeight / height);
    setView((v) => (v.first === first && v.seen === seen && v.height === height ? v : { first, seen, height }));
  };

  useLayoutEffect(() => {
    if (!box.current || !read.current) return;
    const { key, past } = read.current;
    const now = rows.findIndex((r) => r.key === key);
    if (now >= 0) box.current.scrollTop = now * view.height + past;
  }, [rows, view.height]);

  return { box, onScroll: look, ...windowOf(rows.length, view.first, view.seen, view.height) };
}
