import type { Stage } from '../api/model';

/** A stage as drawn: from and to in per cent of the whole bar. */
export interface Segment {
  name: string;
  from: number;
  to: number;
}

/**
 * Lays the stages out at true scale. Every segment starts where its stage starts, except that none is thinner than
 * `floor` per cent: a thin one borrows from what follows it (at the end: from what stands before it), so that the
 * ends of the long ones stay true.
 */
export function layoutBar(stages: Stage[], totalUS: number, floor: number): Segment[] {
  const end = Math.max(totalUS, ...stages.map((s) => s.startUS + s.lengthUS), 1);
  const segments: Segment[] = [];
  let at = 0;
  for (const s of [...stages].sort((a, b) => a.startUS - b.startUS)) {
    const from = Math.max((s.startUS / end) * 100, at);
    const to = Math.max(((s.startUS + s.lengthUS) / end) * 100, from + floor);
    segments.push({ name: s.name, from, to });
    at = to;
  }
  let limit = 100;
  for (const s of segments.toReversed()) {
    s.to = Math.min(s.to, limit);
    s.from = Math.min(s.from, Math.max(s.to - floor, 0));
    limit = s.from;
  }
  return segments;
}

/** Where the scale has its marks: at most five round steps of 1, 2 or 5, none so near the total that their labels meet, then the total itself. */
export function ticks(totalUS: number): { us: number; at: number }[] {
  if (totalUS <= 0) return [{ us: 0, at: 0 }];
  const rough = totalUS / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= rough) ?? rough;
  const marks = [];
  for (let us = 0; us < totalUS * 0.82; us += step) marks.push({ us, at: (us / totalUS) * 100 });
  return [...marks, { us: totalUS, at: 100 }];
}

/** When the device had changed, in microseconds after the sentence came: the end of the confirming stage. */
export function changedAt(stages: Stage[]): number | undefined {
  const confirm = stages.find((s) => s.name === 'confirm');
  return confirm && confirm.startUS + confirm.lengthUS;
}

/** A word for a POSIX shell: what is inside single quotes means nothing to it. */
export function shellQuote(s: string): string {
  return /^[\w@%+=:,./-]+$/.test(s) ? s : `'${s.replaceAll("'", `'\\''`)}'`;
}

export interface Spoken {
  origin: string;
  home: string;
  room: string;
  text: string;
}

/** The same sentence for a terminal. The token is the reader's own, named but never shown. */
export function asCurl({ origin, home, room, text }: Spoken): string {
  const body = JSON.stringify(room === '' ? { text } : { text, room });
  return [
    `curl -sS ${shellQuote(`${origin}/api/v1/homes/${encodeURIComponent(home)}/sentences`)}`,
    `-H "Authorization: Bearer $LAMPWORKS_TOKEN"`,
    `-H 'Content-Type: application/json'`,
    `--data-raw ${shellQuote(body)}`,
  ].join(' \\\n  ');
}

export function asCommand({ origin, home, text }: Spoken): string {
  return `lampworks say --server ${shellQuote(origin)} --token "$LAMPWORKS_TOKEN" --home ${shellQuote(home)} ${shellQuote(text)}`;
}
