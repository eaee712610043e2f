import { queryOptions } from '@tanstack/react-query';
import { createContext, use, useSyncExternalStore } from 'react';
import type { API } from '../api/client';
import type { Actor } from '../api/model';

/** The door: whether the server has told, since the last sign-in, that the session is over. */
export interface Door {
  shut: () => void;
  open: () => void;
  subscribe: (tell: () => void) => () => void;
  isShut: () => boolean;
}

export function createDoor(): Door {
  let shut = false;
  const listeners = new Set<() => void>();
  const set = (next: boolean) => {
    if (shut === next) return;
    shut = next;
    for (const tell of listeners) tell();
  };
  return {
    shut: () => set(true),
    open: () => set(false),
    isShut: () => shut,
    subscribe: (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
  };
}

/** What every feature needs and main.tsx builds. */
export interface Services {
  api: API;
  door: Door;
}

export const ServicesContext = createContext<Services | null>(null);

export function useServices(): Services {
  const services = use(ServicesContext);
  if (!services) throw new Error('useServices outside of ServicesContext');
  return services;
}

export function useShut(): boolean {
  const { door } = useServices();
  return useSyncExternalStore(door.subscribe, door.isShut);
}

export const sessionQuery = (api: API) =>
  queryOptions({ queryKey: ['session'], queryFn: ({ signal }) => api.session(signal), staleTime: Infinity });

export const setupQuery = (api: API) => queryOptions({ queryKey: ['setup'], queryFn: () => api.setupNeeded() });

/** What stood after # when the page was opened. It never reaches a server, and leaves the address at once. */
export interface Arrival {
  token: string;
  code: string;
  /** Who is signed in, asked (or brought about by the token) while the page still loads; taken by the first page. */
  entering?: Promise<Actor> | undefined;
}

export function arrive(at: Location, history: History): Arrival {
  const hash = at.hash.slice(1);
  const token = new URLSearchParams(hash).get('token') ?? '';
  const code = at.pathname === '/setup' && token === '' ? decode(hash) : '';
  if (token !== '' || code !== '') history.replaceState(history.state, '', at.pathname + at.search);
  return { token, code };
}

function decode(s: string): string {
  try {
    return decodeURIComponent(s);
  } catch {
    return s;
  }
}
