import './bench.css';
import './scene.css';
import './things.css';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, lazyRouteComponent } from '@tanstack/react-router';
import { useCallback, useRef, useState, useSyncExternalStore } from 'react';
import type { Answer, Device, Fault, Home, HomeItem } from '../api/model';
import { Problem } from '../api/problem';
import { sessionQuery, useServices } from '../session/session';
import { clock, nameIn } from '../shared/format';
import { Icon } from '../shared/Icon';
import { useShortcuts } from '../shared/shortcuts';
import { Empty, Failed, sentenceOf, Slow } from '../shared/states';
import { useWords } from '../texts/texts';
import { chipsFor } from './chips';
import { homeSentence, placed } from './describe';
import { isLamp } from './light';
import { LogCard } from './LogCard';
import { homeQuery, homesQuery } from './queries';
import { RoadCard } from './RoadCard';
import { SceneCard } from './SceneCard';
import { Speaker } from './Speaker';
import { Things } from './Things';
import { useConversation } from './useConversation';
import { useFault } from './useFault';
import { useLive, type Announced, type Live } from './useLive';
import { useSound } from './useSound';

const route = getRouteApi('/inside/bench');

// Who has a home never sees these.
const Enrol = lazyRouteComponent(() => import('../session/Enrol'), 'Enrol');
const FirstHome = lazyRouteComponent(() => import('./FirstHome'), 'FirstHome');
const NoOrganisation = lazyRouteComponent(() => import('../session/NoOrganisation'), 'NoOrganisation');

/** The bench: say a sentence, watch it travel to the things, see where the time went. */
export function BenchPage() {
  const { t } = useWords();
  const { api } = useServices();
  const { data: actor } = useQuery(sessionQuery(api));
  return (
    <main className="main" id="main">
      <title>{`${t.bench.title} · Lampworks`}</title>
      {actor?.factorNeeded ? (
        <Titled>
          <Enrol />
        </Titled>
      ) : actor?.organisation === '' ? (
        <Titled>
          <NoOrganisation actor={actor} />
        </Titled>
      ) : (
        <Homes mayMake={actor?.acts.includes('home.write') ?? false} />
      )}
    </main>
  );
}

function Homes({ mayMake }: { mayMake: boolean }) {
  const { t } = useWords();
  const { api } = useServices();
  const { home } = route.useSearch();
  const homes = useQuery(homesQuery(api));
  const id = home ?? homes.data?.[0]?.id;
  if (id !== undefined) return <OneHome key={id} id={id} homes={homes.data ?? []} />;
  if (homes.isPending) return <Frame retry={() => void homes.refetch()} />;
  return (
    <Titled>
      {homes.isError ? (
        <Failed title={t.state.failedHomes} error={homes.error} retry={() => void homes.refetch()} />
      ) : mayMake ? (
        <FirstHome />
      ) : (
        <Empty title={t.state.noHomes} why={t.state.noHomesAsk} />
      )}
    </Titled>
  );
}

function Titled({ children }: { children: React.ReactNode }) {
  const { t } = useWords();
  return (
    <>
      <div className="head">
        <h1>{t.bench.title}</h1>
      </div>
      {children}
    </>
  );
}

function OneHome({ id, homes }: { id: string; homes: HomeItem[] }) {
  const { t, lang } = useWords();
  const { api } = useServices();
  const navigate = route.useNavigate();
  const home = useQuery(homeQuery(api, id));
  const open = (next: string) => void navigate({ search: { home: next } });
  const missing = home.error instanceof Problem && home.error.status === 404;
  if (home.data && !missing) return <Bench home={home.data} homes={homes} open={open} />;
  if (!home.isError) return <Frame retry={() => void home.refetch()} />;
  return (
    <Titled>
      <Failed
        title={t.state.failedHome}
        why={missing ? t.state.missing : undefined}
        error={home.error}
        retry={() => void home.refetch()}
      >
        {homes.length > 0 && (
          <p className="choices">
            <span>{t.state.otherHomes}</span>
            {homes.map((h) => (
              <button key={h.id} type="button" className="chip" onClick={() => open(h.id)}>
                {nameIn(h.names, lang, h.id)}
              </button>
            ))}
          </p>
        )}
      </Failed>
    </Titled>
  );
}

function Bench({ home, homes, open }: { home: Home; homes: HomeItem[]; open: (home: string) => void }) {
  const { lang, t } = useWords();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const online = useOnline();
  const sound = useSound();
  const fault = useFault(home);
  const [wanted, setRoom] = useState(home.rooms[0]?.id ?? '');
  const room = home.rooms.some((r) => r.id === wanted) ? wanted : ''; // it may be removed meanwhile
  const [speaker] = useState(() => `console-${Math.random().toString(36).slice(2, 10)}`);
  const [announced, setAnnounced] = useState<Announced>();
  const live = useLive(home.id, speaker, room, (said) => {
    setAnnounced(said);
    if (sound.on) void sound.hear(said.text, said.lang, 0);
  });
  const sayField = useRef<HTMLInputElement>(null);
  const filterField = useRef<HTMLInputElement>(null);

  const lamps = home.devices.filter(isLamp);
  const lamp = lamps.find((d) => d.id === search.lamp) ?? lamps[0];
  const put = (change: { lamp?: string; q?: string }) =>
    void navigate({ search: (s) => withoutEmpty({ ...s, ...change }), replace: true, resetScroll: false });

  const { turns, say } = useConversation(home.id, speaker, (answer, turn) => {
    if (sound.on && answer.reply !== '') void sound.hear(answer.reply, answer.lang, turn);
    const meant = targetsOf(answer);
    const next = lamps.find((d) => meant.includes(d.id));
    if (next && lamp && !meant.includes(lamp.id)) put({ lamp: next.id }); // the scene follows the talk
  });
  const last = turns.at(-1);
  const lastAnswered = turns.findLast((x) => x.answer !== undefined);
  const meant = lastAnswered?.answer ? targetsOf(lastAnswered.answer) : [];
  const speak = (text: string) => void say(text, room);
  const replay = () => last && void say(last.text, last.room);
  const nameOf = useCallback(
    (device: string) => {
      const d = home.devices.find((x) => x.id === device || x.deviceName === device);
      return d ? placed(home, d, lang, t) : device;
    },
    // Names change only when the home is read anew, not with each value.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [home.id, home.devices.length, lang, t],
  );
  useShortcuts({
    r: replay,
    p: () => live.act({ act: live.log.held ? 'resume' : 'pause' }),
    '/': () => filterField.current?.focus(),
    s: () => sayField.current?.focus(),
  });
  const setFault = (device: Device, next: Fault) => fault.mutate({ device, fault: next });

  return (
    <>
      <OfflineStrip live={live} online={online} />
      <div className="head">
        <div>
          <h1>{t.bench.title}</h1>
          <p className="lead">{home.devices.length > 0 && homeSentence(home, lang, t)}</p>
        </div>
        <HomePick home={home} homes={homes} open={open} />
      </div>
      {fault.isError && (
        <p className="note note-bad" role="alert">
          <Icon name="warn" />
          {t.fault.failed(nameOf(fault.variables.device.id))}
        </p>
      )}
      {home.devices.length === 0 ? (
        <Empty
          title={t.state.noDevices}
          why={t.state.noDevicesWhy}
          command="lampworks device --triple PID,MAC,SECRET"
        />
      ) : (
        <>
          <div className="bench-top">
            <SceneCard home={home} lamp={lamp} setFault={setFault} />
            <Speaker
              home={home}
              turns={turns}
              announced={announced}
              say={speak}
              room={room}
              setRoom={setRoom}
              roomGone={room !== wanted}
              deaf={live.deaf}
              sound={sound}
              reachable={online && (live.link !== 'lost' || live.why !== undefined)}
              field={sayField}
            />
          </div>
          <Things home={home} lamp={lamp} meant={meant} show={(d) => put({ lamp: d.id })} setFault={setFault} />
          <RoadCard
            home={home}
            turn={lastAnswered}
            waiting={last !== undefined && last.endedAt === undefined}
            replay={replay}
          />
          <LogCard
            live={live}
            nameOf={nameOf}
            filter={search.q ?? ''}
            setFilter={(q) => put({ q })}
            marked={
              lastAnswered && { devices: meant, from: lastAnswered.startedAt, to: (lastAnswered.endedAt ?? 0) + after }
            }
            field={filterField}
            example={chipsFor(home, lang, t.chips)[0]}
            say={speak}
          />
        </>
      )}
    </>
  );
}

const after = 400; // ms in which a device that was just moved still reports what came of it

const targetsOf = (answer: Answer) => answer.actions.flatMap((a) => a.targets.map((x) => x.device));

function withoutEmpty<T extends Record<string, string | undefined>>(search: T): T {
  return Object.fromEntries(Object.entries(search).filter(([, v]) => v !== undefined && v !== '')) as T;
}

function HomePick({ home, homes, open }: { home: Home; homes: HomeItem[]; open: (home: string) => void }) {
  const { lang, t } = useWords();
  if (homes.length < 2) return <span className="home-name">{nameIn(home.names, lang)}</span>;
  return (
    <label className="home-pick">
      <span className="vh">{t.bench.home}</span>
      <select className="input input-s" value={home.id} onChange={(e) => open(e.target.value)}>
        {homes.map((h) => (
          <option key={h.id} value={h.id}>
            {nameIn(h.names, lang, h.id)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Tells that what one sees is not live, and of when it is. */
function OfflineStrip({ live, online }: { live: Live; online: boolean }) {
  const { t } = useWords();
  if (online && live.link !== 'lost' && live.link !== 'refused') return null;
  const why = online && live.why ? sentenceOf(live.why, t) : undefined;
  return (
    <div className="strip" role="status">
      <Icon name="warn" small />
      {why !== undefined
        ? live.link === 'refused'
          ? t.state.liveRefused(why)
          : t.state.liveWaits(why)
        : live.heardAt === undefined
          ? t.state.offlineNow
          : t.state.offline(clock(live.heardAt, false))}
      {why !== undefined && (
        <button type="button" className="link" onClick={live.retry}>
          {t.app.retry}
        </button>
      )}
    </div>
  );
}

function useOnline(): boolean {
  return useSyncExternalStore(
    (tell) => {
      window.addEventListener('online', tell);
      window.addEventListener('offline', tell);
      return () => {
        window.removeEventListener('online', tell);
        window.removeEventListener('offline', tell);
      };
    },
    () => navigator.onLine,
  );
}

/** The page before its data: nothing for 150 ms, then bars of the final size. */
function Frame({ retry }: { retry: () => void }) {
  const { t } = useWords();
  return (
    <div className="frame" aria-busy="true">
      <Titled>
        <Slow retry={retry} />
        <div className="bench-top" aria-hidden="true">
          <div className="bone bone-scene" />
          <div className="bone bone-scene" />
        </div>
        <div className="bone bone-things" aria-hidden="true" />
        <div className="bone bone-road" aria-hidden="true" />
        <span className="vh">{t.log.connecting}</span>
      </Titled>
    </div>
  );
}
