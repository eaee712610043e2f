import createClient from 'openapi-fetch';
import type { Act, Actor, Answer, Device, Home, HomeItem, Property, Value } from './model';
import { Problem, problemOf } from './problem';
import type { components, paths } from './schema';

type Schemas = components['schemas'];
interface Result<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Awaits one call: its data, or a thrown Problem. */
async function take<T>(call: Promise<Result<T>>): Promise<T> {
  let result: Result<T>;
  try {
    result = await call;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new Problem(0, 'unreachable', '');
  }
  if (!result.response.ok) throw problemOf(result.response, result.error);
  return result.data as T;
}

/**
 * The calls of this console. `base` is '' in the browser (same origin, session cookie);
 * `onSignedOut` is told of every 401 except those of signing in and of asking who is signed in.
 */
export function createAPI(base: string, onSignedOut: () => void = () => undefined) {
  const http = createClient<paths>({ baseUrl: base, credentials: 'same-origin' });
  http.use({
    onResponse({ response, schemaPath }) {
      if (response.status === 401 && schemaPath !== '/api/v1/session' && schemaPath !== '/api/v1/setup') onSignedOut();
    },
  });
  const at = (home: string) => ({ path: { home } });
  return {
    setupNeeded: async () => (await take(http.GET('/api/v1/setup'))).needed,
    setUp: async (body: Schemas['SetupInput']) => {
      await take(http.POST('/api/v1/setup', { body }));
    },
    session: async (signal?: AbortSignal) =>
      actorOf((await take(http.GET('/api/v1/session', signal ? { signal } : {}))).actor),
    signIn: async (body: Schemas['SessionInput']) =>
      actorOf((await take(http.POST('/api/v1/session', { body }))).actor),
    signOut: async () => {
      await take(http.DELETE('/api/v1/session'));
    },
    homes: async (signal: AbortSignal): Promise<HomeItem[]> =>
      (await take(http.GET('/api/v1/homes', { signal }))).items ?? [],
    home: async (id: string, signal: AbortSignal): Promise<Home> =>
      homeOf(await take(http.GET('/api/v1/homes/{home}', { params: at(id), signal }))),
    say: async (home: string, body: Schemas['SentenceInput']): Promise<Answer> =>
      answerOf(await take(http.POST('/api/v1/homes/{home}/sentences', { params: at(home), body }))),
    speech: async (text: string, lang: string): Promise<Blob> =>
      take<Blob>(http.POST('/api/v1/speech', { body: { text, lang }, parseAs: 'blob' })),
    setFault: async (device: string, fault: string) => {
      await take(http.PUT('/api/v1/virtual-devices/{device}/fault', { params: { path: { device } }, body: { fault } }));
    },
  };
}

export type API = ReturnType<typeof createAPI>;

function actorOf(a: Schemas['Actor']): Actor {
  return { login: a.login, organisation: a.organisation, organisationName: a.organisation_name, roles: a.roles ?? [] };
}

function homeOf(h: Schemas['Home']): Home {
  return { id: h.id, names: h.names, rooms: h.rooms ?? [], devices: (h.devices ?? []).map(deviceOf) };
}

function deviceOf(d: Schemas['Device']): Device {
  return {
    id: d.id,
    room: d.room,
    names: d.names,
    category: d.category,
    deviceName: d.device_name,
    online: d.online,
    virtual: d.virtual,
    fault: d.fault || 'none',
    properties: (d.properties ?? []).map(propertyOf),
    state: valuesOf(d.state),
    desired: valuesOf(d.desired),
  };
}

/** Values with their times; a bare value is taken as older than anything that has a time. */
function valuesOf(values: Record<string, unknown> | null | undefined): Record<string, Value> {
  const timed = (v: unknown): Value =>
    typeof v === 'object' && v !== null && 'value' in v
      ? { value: v.value, time: 'time' in v && typeof v.time === 'string' ? v.time : '' }
      : { value: v, time: '' };
  return Object.fromEntries(Object.entries(values ?? {}).map(([name, v]) => [name, timed(v)]));
}

function propertyOf(p: Schemas['Property']): Property {
  return { identifier: p.identifier, name: p.name, unit: p.unit ?? '', min: p.min, max: p.max, enum: p.enum ?? [] };
}

function answerOf(a: Schemas['Answer']): Answer {
  return {
    id: a.id,
    text: a.text,
    lang: a.lang,
    outcome: a.outcome,
    reply: a.reply,
    actions: (a.actions ?? []).map(actOf),
    candidates: a.candidates ?? [],
    stages: (a.stages ?? []).map((s) => ({
      name: s.name,
      startUS: s.start_us,
      lengthUS: s.length_us,
      detail: s.detail ?? '',
    })),
    totalUS: a.total_us,
  };
}

function actOf(a: Schemas['Act']): Act {
  return {
    op: a.op,
    prop: a.prop ?? '',
    value: a.value,
    direction: a.direction ?? '',
    targets: (a.targets ?? []).map((t) => ({
      device: t.device,
      room: t.room ?? '',
      name: t.name ?? '',
      outcome: t.outcome,
      reason: t.reason ?? '',
      command: t.command ?? '',
    })),
  };
}
