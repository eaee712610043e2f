import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useState, type ReactNode } from 'react';
import type { Actor } from '../api/model';
import { sessionQuery, useServices, useShut } from '../session/session';
import { SignInForm } from '../session/SignInForm';
import { Dialog } from '../shared/Dialog';
import { Icon, Sign } from '../shared/Icon';
import { nameIn } from '../shared/format';
import { Menu } from '../shared/Menu';
import { useShortcuts } from '../shared/shortcuts';
import { entry, useWords, type Catalogue } from '../texts/texts';
import { LanguageButton, ThemeMenu } from './controls';

const Keys = lazy(async () => ({ default: (await import('./Keys')).Keys }));

/** The frame of every page inside: navigation, top bar, and the dialogs that may lie over any page. */
export function Shell({ children, onSignedOut }: { children: ReactNode; onSignedOut: () => void }) {
  const { t } = useWords();
  const { api, door } = useServices();
  const client = useQueryClient();
  const { data: actor } = useQuery(sessionQuery(api));
  const shut = useShut();
  const [keys, setKeys] = useState(false);
  useShortcuts({ '?': () => setKeys(true) });
  const signOut = async () => {
    await api.signOut().catch(() => undefined); // a session that is gone already is what was wanted
    client.clear();
    door.open();
    onSignedOut();
  };
  return (
    <div className="app">
      <a className="skip" href="#main">
        {t.app.skip}
      </a>
      <nav className="nav" aria-label={t.app.main}>
        <Link className="brand" to="/bench">
          <Sign />
          <span lang="en">Lampworks</span>
        </Link>
        {actor && <Organisation actor={actor} />}
        <Link className="nav-link" to="/bench" title={t.nav.bench}>
          <Icon name="bench" />
          <span>{t.nav.bench}</span>
        </Link>
      </nav>
      <div className="app-body">
        <header className="bar">
          <Link className="brand bar-brand" to="/bench" aria-label="Lampworks">
            <Sign />
          </Link>
          <nav className="crumb" aria-label={t.app.place}>
            <b aria-current="page">{t.nav.bench}</b>
          </nav>
          <div className="bar-end">
            <LanguageButton />
            <ThemeMenu />
            {actor && <Account actor={actor} signOut={() => void signOut()} showKeys={() => setKeys(true)} />}
          </div>
        </header>
        {children}
      </div>
      {keys && (
        <Suspense>
          <Keys onClose={() => setKeys(false)} />
        </Suspense>
      )}
      {shut && (
        <Dialog title={t.signIn.again}>
          <p className="lead">{t.signIn.againLead}</p>
          <SignInForm onDone={() => void client.invalidateQueries()} />
        </Dialog>
      )}
    </div>
  );
}

const rolesOf = (actor: Actor, t: Catalogue) => actor.roles.map((r) => entry(t.roles, r) ?? r).join(' · ');

function Organisation({ actor }: { actor: Actor }) {
  const { lang, t } = useWords();
  const name = nameIn(actor.organisationNames, lang, actor.login);
  return (
    <div className="org" title={name}>
      <span className="seal" aria-hidden="true">
        {[...name][0]?.toUpperCase()}
      </span>
      <span className="org-text">
        <b>{name}</b>
        <small>{rolesOf(actor, t)}</small>
      </span>
    </div>
  );
}

function Account({ actor, signOut, showKeys }: { actor: Actor; signOut: () => void; showKeys: () => void }) {
  const { lang, t } = useWords();
  return (
    <Menu
      label={t.app.account(actor.login)}
      className="bar-button account"
      header={
        <div className="menu-head">
          <b>{actor.login}</b>
          <small>{nameIn(actor.organisationNames, lang)}</small>
        </div>
      }
      groups={[
        {
          label: 'account',
          pick: (deed) => (deed === 'out' ? signOut() : showKeys()),
          choices: [
            { value: 'keys', text: t.app.keys },
            { value: 'out', text: t.app.signOut },
          ],
        },
      ]}
    >
      <span aria-hidden="true">{[...actor.login][0]?.toUpperCase()}</span>
    </Menu>
  );
}
