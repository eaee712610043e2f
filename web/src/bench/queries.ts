import { queryOptions } from '@tanstack/react-query';
import type { API } from '../api/client';
import type { Home } from '../api/model';
import { mergeHome } from './live';

export const homesQuery = (api: API) =>
  queryOptions({ queryKey: ['homes'], queryFn: ({ signal }) => api.homes(signal) });

/** A home; the live stream writes into it, and reading it anew never takes back what the stream told. */
export const homeQuery = (api: API, id: string) =>
  queryOptions({
    queryKey: ['home', id],
    queryFn: ({ signal }) => api.home(id, signal),
    staleTime: Infinity,
    structuralSharing: (old, read) => mergeHome(old as Home | undefined, read as Home),
  });
