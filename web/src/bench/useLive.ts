import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useReducer, useRef, useState } from 'react';
import type { Problem } from '../api/problem';
import { useServices, type Door } from '../session/session';
import { follow } from './follow';
import { applyToHome, emptyLog, logReducer, rowLimit, type LiveEvent, type Log, type LogAct } from './live';
import { homeQuery } from './queries';

/** connecting: never open yet. lost: was open, or could not be opened; it tries again by itself. refused: it does not. */
export type Link = 'connecting' | 'open' | 'lost' | 'refused';

export interface Live {
  link: Link;
  /** Once lost: until when the stream was heard, in ms of this page's clock; undefined if it never was. */
  heardAt: number | undefined;
  /** Once lost or refused: what the server said, if it said anything. */
  why: Problem | undefined;
  /** Why the home is watched, but nothing announced is told; undefined if it is. */
  deaf: Problem | undefined;
  /** Tries anew, at once. */
  retry: () => void;
  log: Log;
  act: (act: LogAct) => void;
}

/** What is announced in the home. */
export type Announced = Extract<LiveEvent, { kind: 'announcement' }>;

const before: Pick<Live, 'link' | 'heardAt' | 'why' | 'deaf'> = {
  link: 'connecting',
  heardAt: undefined,
  why: undefined,
  deaf: undefined,
};

const gather = 33; // ms that events are gathered for, so that a burst costs one drawing

/**
 * Follows one home. States and presence go into the home that useQuery holds, messages into the log.
 * A break is mended by the browser, which resumes with Last-Event-ID; where the stream has to be opened anew,
 * or says itself that it could not resume, the home is read again and the log shows a gap.
 * The page is a speaker of the home, and is told what is announced there, unless there are too many.
 */
export function useLive(home: string, speaker: string, room: string, onAnnouncement: (said: Announced) => void): Live {
  const client = useQueryClient();
  const { api, door } = useServices();
  const [state, setState] = useState(before);
  const [tries, setTries] = useState(0);
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
    const place = { speaker, ...(room !== '' && { room }) };
    const close = follow({
      placed: room !== '',
      url: (manner) =>
        `/api/v1/homes/${encodeURIComponent(home)}/live?${new URLSearchParams(manner === 'speaker' ? place : {}).toString()}`,
      onEvent: push,
      onOpen: (manner) =>
        setState((s) => ({ ...before, link: 'open', deaf: manner === 'speaker' ? undefined : s.deaf })),
      onLost: (heardAt, why, stopped) => setState((s) => ({ ...s, link: stopped ? 'refused' : 'lost', heardAt, why })),
      onDeaf: (deaf) => setState((s) => ({ ...s, deaf })),
      onFresh: (again) => {
        if (again || followed.current) push({ kind: 'gap' });
        else read();
        followed.current = true;
      },
      ask: async (manner) => {
        const why = await api.liveRefusal(home, manner === 'speaker' ? place : {});
        if (why?.status === 401) return signedInAgain(door);
        // The home or the room is gone: the home, read again, says which, and the page goes by it.
        if (why?.status === 404)
          await client.fetchQuery({ ...homeQuery(api, home), staleTime: 0, retry: false }).catch(() => undefined);
        return why;
      },
    });
    return () => {
      close();
      clearTimeout(timer);
    };
  }, [api, client, door, home, speaker, room, tries]);

  return { ...state, retry: () => setTries((n) => n + 1), log, act };
}

/** Resolves once the person has signed in again. */
function signedInAgain(door: Door): Promise<undefined> {
  return new Promise((resolve) => {
    const look = () => {
      if (door.isShut()) return;
      leave();
      resolve(undefined);
    };
    const leave = door.subscribe(look);
    look();
  });
}
