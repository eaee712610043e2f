import { useEffect, useState, type ReactNode } from 'react';
import { Problem } from '../api/problem';
import { useWords, type Catalogue } from '../texts/texts';
import { Copy } from './Copy';
import { Icon } from './Icon';

/** A refusal in a sentence: what the server said, or what its silence means. */
export function sentenceOf(error: unknown, t: Catalogue): string {
  if (!(error instanceof Problem)) return t.state.failed;
  if (error.unreachable) return t.state.unreachable;
  if (error.message !== '') return error.message;
  if (error.status === 403) return t.state.forbidden;
  if (error.status === 429) return t.speaker.tooMany;
  return t.state.status(error.status);
}

/** A part that could not be read, in the place of that part. */
export function Failed({
  title,
  why,
  error,
  retry,
  children,
}: {
  title: string;
  /** Our sentence, where it is better than the server's. */
  why?: string | undefined;
  error: unknown;
  retry: () => void;
  children?: ReactNode;
}) {
  const { t } = useWords();
  const id = error instanceof Problem ? error.requestID : '';
  return (
    <section className="card state" role="alert">
      <Icon name="warn" />
      <h2>{title}</h2>
      <p>
        {why ?? sentenceOf(error, t)}
        {error instanceof Problem && error.unreachable && t.state.unreachableHint}
      </p>
      {children}
      <div className="state-acts">
        <button type="button" className="btn btn-main" onClick={retry}>
          {t.app.retry}
        </button>
        {id !== '' && (
          <span className="state-id">
            {t.app.requestID} <code>{id}</code> <Copy text={() => id} label={`${t.app.copy} ${id}`} />
          </span>
        )}
      </div>
    </section>
  );
}

/** Why there is nothing here, the one deed that changes it, and a command that works. */
export function Empty({
  title,
  why,
  command,
  children,
}: {
  title: string;
  why: string;
  command?: string;
  children?: ReactNode;
}) {
  const { t } = useWords();
  return (
    <section className="card state">
      <h2>{title}</h2>
      <p>{why}</p>
      {children}
      {command !== undefined && (
        <p className="state-command">
          <code>{command}</code> <Copy text={() => command} label={`${t.app.copy} ${command}`} />
        </p>
      )}
    </section>
  );
}

/** True once `ms` have gone by since this was first drawn. */
export function useLate(ms: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return late;
}

/** After five seconds of waiting: that it is slow, and a way out. */
export function Slow({ retry }: { retry: () => void }) {
  const { t } = useWords();
  if (!useLate(5000)) return null;
  return (
    <div className="note" role="status">
      <span>{t.state.slow}</span>
      <button type="button" className="btn btn-s btn-line" onClick={retry}>
        {t.app.retry}
      </button>
    </div>
  );
}
