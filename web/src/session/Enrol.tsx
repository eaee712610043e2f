import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type SubmitEvent } from 'react';
import { Problem } from '../api/problem';
import { Copy } from '../shared/Copy';
import { Field } from '../shared/Field';
import { Icon } from '../shared/Icon';
import { Empty, sentenceOf } from '../shared/states';
import { useWords } from '../texts/texts';
import { sessionQuery, useServices } from './session';

/** Leads somebody who may do nothing before it through enrolling a second factor; the recovery codes are shown once. */
export function Enrol() {
  const { t } = useWords();
  const { api } = useServices();
  const client = useQueryClient();
  const [codes, setCodes] = useState<string[]>([]);
  const begin = useMutation({ mutationFn: api.enrol });
  if (codes.length > 0) {
    return (
      <Empty title={t.factor.recovery} why={t.factor.recoveryWhy}>
        <ul className="recovery-codes">
          {codes.map((c) => (
            <li key={c}>
              <code>{c}</code>
            </li>
          ))}
        </ul>
        <Copy text={() => codes.join('\n')} label={t.factor.recoveryCopy}>
          {t.factor.recoveryCopy}
        </Copy>
        <button
          type="button"
          className="btn btn-main"
          onClick={() => void client.invalidateQueries({ queryKey: sessionQuery(api).queryKey })}
        >
          {t.factor.goOn}
        </button>
      </Empty>
    );
  }
  return (
    <Empty title={t.factor.title} why={t.factor.why}>
      {begin.isError && (
        <p className="note note-bad" role="alert">
          <Icon name="warn" />
          <span>{sentenceOf(begin.error, t)}</span>
        </p>
      )}
      {begin.data ? (
        <Confirm secret={begin.data.secret} url={begin.data.url} onDone={setCodes} />
      ) : (
        <button type="button" className="btn btn-main" aria-disabled={begin.isPending} onClick={() => begin.mutate()}>
          {t.factor.begin}
        </button>
      )}
    </Empty>
  );
}

/** The secret for the authenticator, and the field for its first code. */
function Confirm({ secret, url, onDone }: { secret: string; url: string; onDone: (codes: string[]) => void }) {
  const { t } = useWords();
  const { api } = useServices();
  const [code, setCode] = useState('');
  const [sent, setSent] = useState(false);
  const confirm = useMutation({ mutationFn: () => api.confirmFactor(code.trim()), onSuccess: onDone });
  const problem = code.trim() === '' ? t.signIn.needed : undefined;
  const submit = (e: SubmitEvent<HTMLFormElement>) => {
    e.preventDefault();
    setSent(true);
    if (problem !== undefined) e.currentTarget.querySelector('input')?.focus();
    else if (!confirm.isPending) confirm.mutate();
  };
  const wrong = confirm.error instanceof Problem && confirm.error.where === '/code';
  return (
    <form className="form state-form" onSubmit={submit} noValidate>
      <p>
        {t.factor.secret} <code>{secret.replace(/(.{4})(?=.)/g, '$1 ')}</code>{' '}
        <Copy text={() => secret} label={`${t.app.copy} ${t.factor.secret}`} />
      </p>
      <p>
        <a href={url}>{t.factor.open}</a>
      </p>
      {confirm.isError && (
        <p className="note note-bad" role="alert">
          <Icon name="warn" />
          <span>{wrong ? t.factor.wrong : sentenceOf(confirm.error, t)}</span>
        </p>
      )}
      <Field
        label={t.factor.code}
        value={code}
        onValue={setCode}
        problem={problem}
        sent={sent}
        inputMode="numeric"
        autoComplete="one-time-code"
        name="code"
      />
      <button type="submit" className="btn btn-main" aria-disabled={confirm.isPending}>
        {t.factor.confirm}
      </button>
    </form>
  );
}
