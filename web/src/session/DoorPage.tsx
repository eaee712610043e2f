import type { ReactNode } from 'react';
import { Sign } from '../shared/Icon';
import { LanguageButton, ThemeMenu } from '../shell/controls';
import { useWords } from '../texts/texts';

/** The frame of the pages before one is inside: the sign, one card, language and theme. */
export function Door({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  const { t } = useWords();
  return (
    <div className="door">
      <title>{`${title} · Lampworks`}</title>
      <header className="door-bar">
        <span className="brand">
          <Sign />
          <span lang="en">Lampworks</span>
        </span>
        <div className="bar-end" role="group" aria-label={t.app.theme}>
          <LanguageButton />
          <ThemeMenu />
        </div>
      </header>
      <main className="door-main" id="main">
        <div className="card door-card">
          <h1>{title}</h1>
          <p className="lead">{lead}</p>
          {children}
        </div>
      </main>
    </div>
  );
}
