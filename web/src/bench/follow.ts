import { readEvent, type LiveEvent } from './live';
import type { Problem } from '../api/problem';

/** What is asked of the server: to be told of a home, and, as a speaker, what is announced there. */
export type Manner = 'speaker' | 'watcher';

/** What becomes of a stream that the server did not open. */
export type Verdict =
  | 'open' // it would open it now
  | 'wait' // it may open it later: it is asked again, less and less often
  | 'watch' // it takes no more speakers: the home can still be watched
  | 'stop'; // asking again changes nothing

/** Judges a refusal; undefined is none. `placed`: the speaker stands in a room of which the server may not know any more. */
export function verdictOn(refusal: Problem | undefined, manner: Manner, placed: boolean): Verdict {
  if (!refusal) return 'open';
  if (refusal.unreachable || refusal.status >= 500) return 'wait';
  if (refusal.status === 429) return manner === 'speaker' ? 'watch' : 'wait';
  if (refusal.status === 404 && manner === 'speaker' && placed) return 'wait'; // until the home was read again
  return 'stop';
}

export interface Follower {
  url: (manner: Manner) => string;
  onEvent: (event: LiveEvent) => void;
  onOpen: (manner: Manner) => void;
  /** It broke, or was refused; `stopped`: and is not tried again. `heardAt`: until when it was heard. */
  onLost: (heardAt: number | undefined, why: Problem | undefined, stopped: boolean) => void;
  /** No more speakers are taken: what is announced is not told. */
  onDeaf: (why: Problem) => void;
  /** A stream that was opened anew is open; `again` if there was one before it. */
  onFresh: (again: boolean) => void;
  /** Why the server would not open a stream; undefined if it would. A stream cannot say it itself. */
  ask: (manner: Manner) => Promise<Problem | undefined>;
  placed: boolean;
}

const patience = 1200; // ms that a broken stream may take to come back before it is told
const soonest = 500; // ms before the first try
const slowest = 15_000; // ms between two tries
const speakAgain = 60_000; // ms after which a watcher asks whether there is a place for a speaker

const kinds = ['state', 'presence', 'command', 'message', 'announcement', 'gap'];

/**
 * Keeps a stream open until the returned function is called. A break is mended by the browser; a refusal is asked about,
 * and tried again where that can help.
 */
export function follow(to: Follower): () => void {
  let source: EventSource;
  let manner: Manner = 'speaker';
  let ended = false;
  let opened = false;
  let heardAt: number | undefined;
  let wait = soonest;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let late: ReturnType<typeof setTimeout> | undefined;
  let ear: ReturnType<typeof setTimeout> | undefined;

  const lost = () => {
    heardAt = opened ? (heardAt ?? Date.now()) : undefined;
    late ??= setTimeout(() => to.onLost(heardAt, undefined, false), patience);
  };
  const later = () => {
    retry = setTimeout(() => void reopen(), wait);
    wait = Math.min(wait * 2, slowest);
  };
  const open = () => {
    let fresh = true;
    source = new EventSource(to.url(manner), { withCredentials: true });
    source.onopen = () => {
      clearTimeout(late);
      late = heardAt = undefined;
      wait = soonest;
      to.onOpen(manner);
      if (fresh) to.onFresh(opened);
      fresh = false;
      opened = true;
      clearTimeout(ear);
      if (manner === 'watcher') ear = setTimeout(() => void listen(), speakAgain);
    };
    source.onerror = () => {
      lost();
      if (source.readyState === EventSource.CLOSED && !ended) later(); // else the browser is at it
    };
    for (const kind of kinds) {
      source.addEventListener(kind, (e: MessageEvent<unknown>) => {
        const event = readEvent(kind, typeof e.data === 'string' ? e.data : '');
        if (event) to.onEvent(event);
      });
    }
  };
  const reopen = async () => {
    const why = await to.ask(manner);
    if (ended) return;
    const verdict = verdictOn(why, manner, to.placed);
    if (verdict === 'open') return open();
    if (verdict === 'watch' && why) {
      manner = 'watcher';
      to.onDeaf(why);
      return open();
    }
    if (verdict === 'wait' && (!why || why.unreachable || why.status >= 500)) return later(); // lost tells it
    clearTimeout(late);
    late = undefined;
    to.onLost(heardAt, why, verdict === 'stop');
    if (verdict === 'wait') later();
  };
  /** A watcher becomes a speaker once there is a place. */
  const listen = async () => {
    const why = await to.ask('speaker');
    if (ended || manner === 'speaker') return;
    if (why) {
      ear = setTimeout(() => void listen(), speakAgain);
      return;
    }
    manner = 'speaker';
    clearTimeout(retry);
    source.close();
    open();
  };
  open();
  return () => {
    ended = true;
    for (const timer of [retry, late, ear]) clearTimeout(timer);
    source.close();
  };
}
