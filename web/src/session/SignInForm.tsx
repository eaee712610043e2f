import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState, type SubmitEvent } from 'react';
import { Problem } from '../api/problem';
import { Field } from '../shared/Field';
import { Icon } from '../shared/Icon';
import { sentenceOf } from '../shared/states';
import { useWords } from '../texts/texts';
import { sessionQuery, useServices } from './session';

/** Login and password; calls `onDone` when the session stands. */
export function SignInForm({ onDone }: { onDone: () => void }) {
  const { t } = useWords();
  const { api, door } = useServices();
  const client = useQueryClient();
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [asked, setAsked] = useState(false); // this account signs in with a code, too
  const [sent, setSent] = useState(false);
  const loginField = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);
  const codeField = useRef<HTMLInputElement>(null);
  const signIn = useMutation({
    mutationFn: () => api.signIn({ login: login.trim(), password, ...(asked && { code: code.trim() }) }),
    onError: (error) => {
      if (!(error instanceof Problem && error.code === 'second_factor')) return;
      setAsked(true);
      setSent(false);
    },
    onSuccess: (actor) => {
      client.setQueryData(sessionQuery(api).queryKey, actor);
      door.open();
      onDone();
    },
  });
  const need = (value: string) => (value.trim() === '' ? t.signIn.needed : undefined);
  const submit = (e: SubmitEvent) => {
    e.preventDefault();
    setSent(true);
    const first = need(login)
      ? loginField
      : need(password)
        ? passwordField
        : asked && need(code)
          ? codeField
          : undefined;
    if (first) first.current?.focus();
    else if (!signIn.isPending) signIn.mutate();
  };
  return (
    <form className="form" onSubmit={submit} noValidate>
      {signIn.isError && !needsCode(signIn.error) && (
        <p className="note note-bad" role="alert">
          <Icon name="warn" />
          <span>{whyNot(signIn.error, asked, t)}</span>
        </p>
      )}
      <Field
        label={t.signIn.login}
        value={login}
        onValue={setLogin}
        problem={need(login)}
        sent={sent}
        inputRef={loginField}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        name="login"
      />
      <Field
        label={t.signIn.password}
        value={password}
        onValue={setPassword}
        problem={need(password)}
        sent={sent}
        inputRef={passwordField}
        type="password"
        autoComplete="current-password"
        name="password"
      />
      {asked && (
        <Field
          label={t.factor.code}
          hint={t.factor.codeHint}
          value={code}
          onValue={setCode}
          problem={need(code)}
          sent={sent}
          inputRef={codeField}
          autoFocus
          autoComplete="one-time-code"
          autoCapitalize="none"
          spellCheck={false}
          name="code"
        />
      )}
      <button type="submit" className="btn btn-main" aria-disabled={signIn.isPending}>
        {t.signIn.submit}
      </button>
    </form>
  );
}

function needsCode(error: unknown): boolean {
  return error instanceof Problem && error.code === 'second_factor';
}

function whyNot(error: unknown, withCode: boolean, t: ReturnType<typeof useWords>['t']): string {
  if (error instanceof Problem && error.status === 401) return withCode ? t.factor.wrong : t.signIn.wrong;
  if (error instanceof Problem && error.status === 429) return t.signIn.many;
  return sentenceOf(error, t);
}
