import createClient from 'openapi-fetch';
import type { Act, Actor, Answer, Device, Fault, Home, HomeItem, Lang, Names, Property, Value } from './model';
import { Problem, problemOf } from './problem';
import type { paths } from './schema';

/** What a call takes and gives, as the OpenAPI file says. */
type Input<Op> = Op extends { requestBody: { content: { 'application/json': infer T } } } ? T : never;
type Output<Op> = Op extends { responses: { 200: { content: { 'application/json': infer T } } } } ? T : never;
type Session = Output<paths['/api/v1/session']['get']>;
type HomeOut = Output<paths['/api/v1/homes/{home}']['get']>;
type DeviceOut = NonNullable<HomeOut['devices']>[number];
type PropertyOut = NonNullable<DeviceOut['properties']>[number];
type AnswerOut = Output<paths['/api/v1/homes/{home}/sentences']['post']>;
type ActOut = NonNullable<AnswerOut['actions']>[number];

/** Calls whose 401 is about a password or code that was typed, not about the session. */
const signing = new Set(['/api/v1/session', '/api/v1/setup', '/api/v1/factor']);

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
 * `onSignedOut` is told of every 401 except those of signing in and of asking who is signed in;
 * `lang` is the language that refusals are to be in.
 */
export function createAPI(base: string, onSignedOut: () => void = () => undefined, lang: () => Lang = () => 'en') {
  const http = createClient<paths>({ baseUrl: base, credentials: 'same-origin' });
  http.use({
    onRequest({ request }) {
      request.headers.set('Accept-Language', lang());
    },
    onResponse({ response, schemaPath }) {
      if (response.status === 401 && !signing.has(schemaPath)) onSignedOut();
    },
  });
  const at = (home: string) => ({ path: { home } });
  return {
    setupNeeded: async () => (await take(http.GET('/api/v1/setup'))).needed,
    setUp: async (body: Input<paths['/api/v1/setup']['post']>) =>
      actorOf((await take(http.POST('/api/v1/setup', { body }))).actor),
    session: async (signal?: AbortSignal) =>
      actorOf((await take(http.GET('/api/v1/session', signal ? { signal } : {}))).actor),
    signIn: async (body: Input<paths['/api/v1/session']['post']>) =>
      actorOf((await take(http.POST('/api/v1/session', { body }))).actor),
    signOut: async () => {
      await take(http.DELETE('/api/v1/session'));
    },
    /** Begins to enrol a second factor: its secret, once. */
    enrol: async () => {
      const { secret, otpauth_url: url } = await take(http.POST('/api/v1/factor'));
      return { secret, url };
    },
    /** Puts it in force by a code: the recovery codes, once. */
    confirmFactor: async (code: string): Promise<string[]> =>
      (await take(http.PUT('/api/v1/factor', { body: { code } }))).recovery_codes ?? [],
    /** Makes an organisation whose owner is who makes it; its id. */
    makeOrganisation: async (names: Names): Promise<string> =>
      (await take(http.POST('/api/v1/organisations', { body: { names, kinds: ['terminal_maker'] } }))).id,
    actFor: async (organisation: string): Promise<Actor> =>
      actorOf((await take(http.PUT('/api/v1/session/organisation', { body: { organisation } }))).actor),
    makeHome: async (names: Names): Promise<HomeItem> => {
      const { id, names: named } = await take(http.POST('/api/v1/homes', { body: { names } }));
      return { id, names: named };
    },
    homes: async (signal: AbortSignal): Promise<HomeItem[]> =>
      itemsOf(await take(http.GET('/api/v1/homes', { signal }))),
    home: async (id: string, signal: AbortSignal): Promise<Home> =>
      homeOf(await take(http.GET('/api/v1/homes/{home}', { params: at(id), signal }))),
    /** Why a live view would not be opened, which its stream of events cannot say; undefined if it would be. */
    liveRefusal: async (home: string, query: { speaker?: string; room?: string }): Promise<Problem | undefined> => {
      const trial = new AbortController();
      try {
        await take(
          http.GET('/api/v1/homes/{home}/live', {
            params: { ...at(home), query },
            parseAs: 'stream',
            signal: trial.signal,
          }),
        );
        return undefined;
      } catch (error) {
        if (error instanceof Problem) return error;
        throw error;
      } finally {
        trial.abort();
      }
    },
    say: async (home: string, body: Input<paths['/api/v1/homes/{home}/sentences']['post']>): Promise<Answer> =>
      answerOf(await take(http.POST('/api/v1/homes/{home}/sentences', { params: at(home), body }))),
    speech: async (text: string, lang: Lang): Promise<Blob> => {
      const wav: unknown = await take(http.POST('/api/v1/speech', { body: { text, lang }, parseAs: 'blob' }));
      return wav as Blob;
    },
    setFault: async (device: string, fault: Fault) => {
      await take(http.PUT('/api/v1/virtual-devices/{device}/fault', { params: { path: { device } }, body: { fault } }));
    },
  };
}

export type API = ReturnType<typeof createAPI>;

/** The items of a list: one that is asked for without a format comes as JSON, never as the text of a file. */
function itemsOf<T>(page: { items: T[] } | string): T[] {
  if (typeof page === 'string') {
    throw new TypeError('a list came as a file');
  }
  return page.items ?? [];
}

function actorOf(a: Session['actor']): Actor {
  return {
    login: a.login,
    organisation: a.organisation,
    organisationNames: a.organisation_name ?? {},
    roles: a.roles ?? [],
    acts: a.acts ?? [],
    factorNeeded: a.second_factor_needed,
  };
}

function homeOf(h: HomeOut): Home {
  return { id: h.id, names: h.names, rooms: h.rooms ?? [], devices: (h.devices ?? []).map(deviceOf) };
}

function deviceOf(d: DeviceOut): Device {
  return {
    id: d.id,
    room: d.room ?? '',
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

/** A name of a thing model is Chinese unless the server gives it in more languages. */
type Named = { name: string; names?: Names };
const namesOf = (n: Named): Names => ({ 'zh-CN': n.name, ...n.names });

function propertyOf(p: PropertyOut): Property {
  return {
    identifier: p.identifier,
    names: namesOf(p),
    unit: p.unit ?? '',
    min: p.min,
    max: p.max,
    enum: (p.enum ?? []).map((e) => ({ value: e.value, names: namesOf(e) })),
  };
}

function answerOf(a: AnswerOut): Answer {
  return {
    id: a.id,
    text: a.text,
    lang: a.lang,
    outcome: a.outcome,
    reply: a.reply,
    actions: (a.actions ?? []).map(actOf),
    candidates: (a.candidates ?? []).map((t) => t.device),
    stages: (a.stages ?? []).map((s) => ({
      name: s.name,
      startUS: s.start_us,
      lengthUS: s.length_us,
      detail: s.detail ?? '',
    })),
    totalUS: a.total_us,
  };
}

function actOf(a: ActOut): Act {
  return {
    op: a.op,
    prop: a.prop ?? '',
    value: a.value,
    direction: a.direction ?? '',
    targets: (a.targets ?? []).map((t) => ({
      device: t.device,
      room: t.room ?? '',
      name: t.name,
      outcome: t.outcome ?? '',
      reason: t.reason ?? '',
      command: t.command ?? '',
    })),
  };
}
