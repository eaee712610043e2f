import { useState, type ReactNode } from 'react';
import { useWords } from '../texts/texts';
import { Icon } from './Icon';

/** A button that copies a text and says whether it could. */
export function Copy({ text, label, children }: { text: () => string; label: string; children?: ReactNode }) {
  const { t } = useWords();
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  const copy = () => {
    const settle = (next: 'copied' | 'failed') => {
      setState(next);
      setTimeout(() => setState('idle'), 2000);
    };
    // Outside of https and localhost there is no clipboard at all.
    const clipboard = navigator.clipboard as Clipboard | undefined;
    if (!clipboard) return settle('failed');
    clipboard.writeText(text()).then(
      () => settle('copied'),
      () => settle('failed'),
    );
  };
  return (
    <>
      <button type="button" className="btn btn-s btn-line" aria-label={label} title={label} onClick={copy}>
        <Icon name={state === 'copied' ? 'check' : 'copy'} small />
        {children}
      </button>
      <span className="vh" role="status">
        {state === 'copied' ? t.app.copied : ''}
      </span>
      {state === 'failed' && (
        <span className="copy-failed" role="alert">
          {t.app.copyFailed}
        </span>
      )}
    </>
  );
}
