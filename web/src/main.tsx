import './design/tokens.css';
import './design/base.css';
import './design/controls.css';
import './shell/shell.css';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode, useEffect, useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createAPI } from './api/client';
import type { Lang } from './api/model';
import { Problem } from './api/problem';
import { homesQuery } from './bench/queries';
import { arrive, createDoor, ServicesContext, type Services } from './session/session';
import { applyTheme, choose, setting, useSetting } from './shared/settings';
import { buildRouter } from './shell/router';
import { langFor, langs, loadTexts, WordsContext, type Catalogue } from './texts/texts';

// Catalogue, page and first data start together: none waits for another.
applyTheme(setting('theme'));
const arrival = arrive(window.location, window.history);
const wished = () => langs.find((l) => l === setting('lang')) ?? langFor(navigator.languages);
const lang = wished();
const texts = loadTexts(lang);
if (arrival.token !== '' || /^\/(bench)?$/.test(window.location.pathname)) void import('./bench/BenchPage');

const door = createDoor();
const services: Services = { api: createAPI('', door.shut, wished), door };
const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 60_000,
      refetchOnWindowFocus: false,
      retry: (count, error) =>
        count < 2 && error instanceof Problem && (error.unreachable || error.status === 502 || error.status === 503),
      retryDelay: (count) => 300 * 3 ** count,
    },
    mutations: { networkMode: 'always' },
  },
});
if (arrival.token !== '') {
  arrival.entering = services.api.signIn({ token: arrival.token });
  window.history.replaceState(window.history.state, '', '/');
} else if (window.location.pathname === '/bench') {
  arrival.entering = services.api.session();
  void client.prefetchQuery(homesQuery(services.api));
}
arrival.entering?.catch(() => undefined); // told by the page that awaits it
const router = buildRouter({ api: services.api, client, arrival });

function App({ first }: { first: { lang: Lang; t: Catalogue } }) {
  const [words, setWords] = useState(first);
  const [theme] = useSetting('theme');
  useEffect(() => applyTheme(theme), [theme]);
  useEffect(() => {
    document.documentElement.lang = words.lang;
  }, [words.lang]);
  const value = useMemo(
    () => ({
      ...words,
      setLang: async (next: Lang) => {
        const t = await loadTexts(next);
        choose('lang', next);
        setWords({ lang: next, t });
      },
    }),
    [words],
  );
  return (
    <WordsContext value={value}>
      <ServicesContext value={services}>
        <QueryClientProvider client={client}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </ServicesContext>
    </WordsContext>
  );
}

const t = await texts;
document.documentElement.lang = lang;
const app = document.getElementById('app');
if (!app) throw new Error('index.html has no #app');
createRoot(app).render(
  <StrictMode>
    <App first={{ lang, t }} />
  </StrictMode>,
);
