import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
  useNavigate,
  useRouter,
} from '@tanstack/react-router';
import type { API } from '../api/client';
import { Problem } from '../api/problem';
import { sessionQuery, setupQuery, type Arrival } from '../session/session';
import { Failed } from '../shared/states';
import { useWords } from '../texts/texts';
import { Shell } from './Shell';

// Few visits see these pages, so that their code comes with those.
const SignInPage = lazyRouteComponent(() => import('../session/SignInPage'), 'SignInPage');
const SetUpPage = lazyRouteComponent(() => import('../session/SetUpPage'), 'SetUpPage');

export interface RouterContext {
  api: API;
  client: QueryClient;
  arrival: Arrival;
}

const root = createRootRouteWithContext<RouterContext>()({
  component: Outlet,
  errorComponent: ({ error }) => <Crashed error={error} />,
  notFoundComponent: NotFound,
});

/** Makes sure of a session, with what main.tsx started if this is the first page; throws a Problem of status 401 if there is none. */
async function enter({ api, client, arrival }: RouterContext): Promise<void> {
  const { entering } = arrival;
  arrival.entering = undefined; // once: coming back must not sign in with an old token
  if (entering) client.setQueryData(sessionQuery(api).queryKey, await entering);
  else await client.ensureQueryData(sessionQuery(api));
}

/** `/` is a door, not a page: it exchanges the token it was given, if any, and leads on. */
const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: async ({ context: { api, client, arrival } }) => {
    if (arrival.entering) {
      try {
        await enter({ api, client, arrival });
      } catch (error) {
        if (!(error instanceof Problem) || error.unreachable) throw error;
        throw redirect({ to: '/signin', search: { why: 'token' }, replace: true });
      }
    }
    throw redirect({ to: '/bench', replace: true });
  },
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/signin',
  validateSearch: (s): { why?: 'token'; next?: string } => ({
    ...(s['why'] === 'token' && { why: 'token' as const }),
    ...(typeof s['next'] === 'string' && /^\/[^/\\]/.test(s['next']) && { next: s['next'] }),
  }),
  loader: ({ context: { api, client } }) => void client.prefetchQuery(setupQuery(api)),
  component: function SignIn() {
    const { why, next } = signIn.useSearch();
    const router = useRouter();
    return <SignInPage why={why} onDone={() => router.history.replace(next ?? '/bench')} />;
  },
});

const setUp = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  loader: ({ context: { api, client } }) => void client.prefetchQuery(setupQuery(api)),
  component: function SetUp() {
    const { arrival } = setUp.useRouteContext();
    const navigate = useNavigate();
    return (
      <SetUpPage
        code={arrival.code}
        onDone={() => void navigate({ to: '/bench', replace: true })}
        toSignIn={() => void navigate({ to: '/signin', replace: true })}
      />
    );
  },
});

/** Everything inside needs a session; who has none is asked to sign in and comes back here. */
const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  beforeLoad: async ({ context: { api, client, arrival }, location }) => {
    try {
      await enter({ api, client, arrival });
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        client.removeQueries();
        throw redirect({ to: '/signin', search: { next: location.href }, replace: true });
      }
      throw error;
    }
  },
  component: function Inside() {
    const navigate = useNavigate();
    return (
      <Shell onSignedOut={() => void navigate({ to: '/signin' })}>
        <Outlet />
      </Shell>
    );
  },
});

/** The address of the bench holds what one sees: the home, the lamp in the scene, the filter of the log. */
export interface BenchSearch {
  home?: string;
  lamp?: string;
  q?: string;
}

const bench = createRoute({
  getParentRoute: () => inside,
  path: '/bench',
  validateSearch: (s): BenchSearch => {
    const out: BenchSearch = {};
    for (const key of ['home', 'lamp', 'q'] as const) {
      const value = s[key];
      if (typeof value === 'string' && value !== '') out[key] = value;
      else if (typeof value === 'number') out[key] = String(value); // the router reads ?q=200 as a number
    }
    return out;
  },
  component: lazyRouteComponent(() => import('../bench/BenchPage'), 'BenchPage'),
});

export function buildRouter(context: RouterContext) {
  return createRouter({
    routeTree: root.addChildren([home, signIn, setUp, inside.addChildren([bench])]),
    context,
    defaultPendingMs: 150,
    defaultPendingMinMs: 0,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof buildRouter>;
  }
}

function Crashed({ error }: { error: unknown }) {
  const { t } = useWords();
  const router = useRouter();
  const known = error instanceof Problem;
  return (
    <main className="alone" id="main">
      <h1 className="vh">{known ? t.state.failed : t.app.crashed}</h1>
      {known ? (
        <Failed title={t.state.failed} error={error} retry={() => void router.invalidate()} />
      ) : (
        <section className="card state" role="alert">
          <h2>{t.app.crashed}</h2>
          <p>{t.app.crashedWhy}</p>
          <button type="button" className="btn btn-main" onClick={() => window.location.reload()}>
            {t.app.reload}
          </button>
        </section>
      )}
    </main>
  );
}

function NotFound() {
  const { t } = useWords();
  const navigate = useNavigate();
  return (
    <main className="alone" id="main">
      <section className="card state">
        <h1>{t.app.notFound}</h1>
        <p>{t.app.notFoundWhy}</p>
        <button type="button" className="btn btn-main" onClick={() => void navigate({ to: '/bench' })}>
          {t.app.toBench}
        </button>
      </section>
    </main>
  );
}
