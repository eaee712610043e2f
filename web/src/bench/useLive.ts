import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useReducer, useRef, useState } from 'react';
import { Problem } from '../api/problem';
import { useServices, type Door } from '../session/session';
import { applyToHome, emptyLog, logReducer, readEvent, rowLimit, type LiveEvent, type Log, type LogAct } from './live';
import { homeQuery } from './queries';

/** connecting: never open yet. lost: was open, or could not be opened; it tries again by itself. */
export type Link = 'connecting' | 'open' | 'lost';

export interface Live {
  link: Link;
  /** Once lost: until when the stream was heard, in ms of this page's clock; undefined if it never was. */
  heardAt: number | undefined;
  log: Log;
  act: (act: LogAct) => void;
}

/** What is announced in the home. */
export type Announced = Extract<LiveEvent, { kind: 'announcement' }>;

const gather = 33; // ms that events are gathered for, so that a burst costs one drawing
const patience = 1200; // ms that a broken stream may take to come back before it is told
const slowest = 15_000; // ms between two tries

/**
 * Follows one home. States and presence go into the home that useQuery holds, messages into the log.
 * A break is mended by the browser, which resumes with Last-Event-ID; where the stream has to be opened anew,
 * or says itself that it could not resume, the home is read again and the log shows a gap.
 * The page is a speaker of the home, and is told what is announced there.
 */
export function useLive(home: string, speaker: string, room: string, onAnnouncement: (said: Announced) => void): Live {
  const client = useQueryClient();
  const { api, door } = useServices();
  const [{ link, heardAt }, setLink] = useState<{ link: Link; heardAt: number | undefined }>({
    link: 'connecting',
    heardAt: undefined,
  });
  const [log, act] = useReducer(logReducer, emptyLog);
  const followed = useRef(false);
  const announced = useRef(onAnnouncement);
  useEffect(() => {
    announced.current = onAnnouncement;
  });

  useEffect(() => {
    const key = homeQuery(api, home).queryKey;
    const read = () => void client.invalidateQueries({ queryKey: key });
    let queue: LiveEvent[] = [];
    let dropped = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      const events = queue;
      act({ act: 'add', events, dropped, now: Date.now() });
      queue = [];
      dropped = 0;
      client.setQueryData(key, (h) => h && events.reduce(applyToHome, h));
      if (events.some((e) => e.kind === 'gap')) read();
    };
    const push = (event: LiveEvent) => {
      if (event.kind === 'announcement') {
        announced.current(event);
        return;
      }
      if (queue.length >= rowLimit) {
        // Faster than this page draws: the oldest message goes, a state never does.
        const i = queue.findIndex((e) => e.kind === 'message');
        if (i >= 0) queue.splice(i, 1);
        dropped++;
      }
      queue.push(event);
      timer ??= setTimeout(flush, gather);
    };
    const close = follow(
      `/api/v1/homes/${encodeURIComponent(home)}/live?${new URLSearchParams(room === '' ? { speaker } : { speaker, room }).toString()}`,
      {
        onEvent: push,
        onLink: (link, heardAt) => setLink({ link, heardAt }),
        onFresh: (again) => {
          if (again || followed.current) push({ kind: 'gap' });
          else read();
          followed.current = true;
        },
        // The stream cannot say why it was refused; asking for the home can, and shuts the door on a 401.
        mayRetry: async () => {
          try {
            await client.fetchQuery({ ...homeQuery(api, home), staleTime: 0, retry: false });
            return true;
          } catch (error) {
            if (!(error instanceof Problem)) return false;
            if (error.status === 401) return signedInAgain(door);
            return error.unreachable || error.status >= 500 || error.status === 429;
          }
        },
      },
    );
    return () => {
      close();
      clearTimeout(timer);
    };
  }, [api, client, door, home, speaker, room]);

  return { link, heardAt, log, act };
}

/** Resolves once the person has signed in again. */
function signedInAgain(door: Door): Promise<true> {
  return new Promise((resolve) => {
    const look = () => {
      if (door.isShut()) return;
      leave();
      resolve(true);
    };
    const leave = door.subscribe(look);
    look();
  });
}

interface Follower {
  onEvent: (event: LiveEvent) => void;
  onLink: (link: Link, heardAt: number | undefined) => void;
  /** A stream that was opened anew is open; `again` if there was one before it. */
  onFresh: (again: boolean) => void;
  mayRetry: () => Promise<boolean>;
}

const kinds = ['state', 'presence', 'command', 'message', 'announcement', 'gap'];

/** Keeps a stream open until the returned function is called. */
function follow(url: string, to: Follower): () => void {
  let source: EventSource;
  let ended = false;
  let opened = false;
  let wait = 500;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let late: ReturnType<typeof setTimeout> | undefined;

  const lost = () => {
    const heardAt = opened ? Date.now() : undefined;
    late ??= setTimeout(() => to.onLink('lost', heardAt), patience);
  };
  const open = () => {
    let fresh = true;
    source = new EventSource(url, { withCredentials: true });
    source.onopen = () => {
      clearTimeout(late);
      late = undefined;
      wait = 500;
      to.onLink('open', undefined);
      if (fresh) to.onFresh(opened);
      fresh = false;
      opened = true;
    };
    source.onerror = () => {
      lost();
      if (source.readyState !== EventSource.CLOSED || ended) return; // else the browser is at it
      retry = setTimeout(() => void reopen(), wait);
      wait = Math.min(wait * 2, slowest);
    };
    for (const kind of kinds) {
      source.addEventListener(kind, (e: MessageEvent<unknown>) => {
        const event = readEvent(kind, typeof e.data === 'string' ? e.data : '');
        if (event) to.onEvent(event);
      });
    }
  };
  const reopen = async () => {
    if ((await to.mayRetry()) && !ended) open();
  };
  open();
  return () => {
    ended = true;
    clearTimeout(retry);
    clearTimeout(late);
    source.close();
  };
}
