import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState, type SubmitEvent } from 'react';
import { Field } from '../shared/Field';
import { Icon } from '../shared/Icon';
import { sentenceOf } from '../shared/states';
import { useWords, type Catalogue } from '../texts/texts';
import { Door } from './DoorPage';
import { sessionQuery, setupQuery, useServices } from './session';

/** How many characters there may be. The server decides; this only tells earlier. */
const loginLength = { min: 3, max: 64 };
const passwordLength = { min: 10, max: 256 };

interface Form {
  code: string;
  login: string;
  email: string;
  password: string;
}

/** Makes the first operator with the one-time code that stood in the address. */
export function SetUpPage({ code, onDone, toSignIn }: { code: string; onDone: () => void; toSignIn: () => void }) {
  const { t } = useWords();
  const { api } = useServices();
  const setup = useQuery(setupQuery(api));
  if (setup.data === false) {
    return (
      <Door title={t.setUp.done} lead={t.setUp.doneLead}>
        <button type="button" className="btn btn-main" onClick={toSignIn}>
          {t.setUp.toSignIn}
        </button>
      </Door>
    );
  }
  return (
    <Door title={t.setUp.title} lead={t.setUp.lead}>
      <SetUpForm code={code} onDone={onDone} />
    </Door>
  );
}

function SetUpForm({ code, onDone }: { code: string; onDone: () => void }) {
  const { t } = useWords();
  const { api, door } = useServices();
  const client = useQueryClient();
  const [form, setForm] = useState<Form>({ code, login: '', email: '', password: '' });
  const [sent, setSent] = useState(false);
  const ref = useRef<HTMLFormElement>(null);
  const setUp = useMutation({
    mutationFn: () => {
      const email = form.email.trim();
      const { password } = form;
      return api.setUp({
        code: form.code.trim(),
        login: form.login.trim(),
        password,
        ...(email !== '' && { email }),
      });
    },
    onSuccess: (actor) => {
      client.setQueryData(sessionQuery(api).queryKey, actor);
      client.setQueryData(setupQuery(api).queryKey, false);
      door.open();
      onDone();
    },
  });
  const wrong = problems(form, t);
  const submit = (e: SubmitEvent) => {
    e.preventDefault();
    setSent(true);
    const first = Object.keys(wrong)[0];
    if (first !== undefined) ref.current?.querySelector<HTMLInputElement>(`[name=${first}]`)?.focus();
    else if (!setUp.isPending) setUp.mutate();
  };
  const field = (name: keyof Form) => ({
    name,
    value: form[name],
    onValue: (value: string) => setForm((f) => ({ ...f, [name]: value })),
    problem: wrong[name],
    sent,
  });
  return (
    <form className="form" ref={ref} onSubmit={submit} noValidate>
      {setUp.isError && (
        <p className="note note-bad" role="alert">
          <Icon name="warn" />
          <span>{sentenceOf(setUp.error, t)}</span>
        </p>
      )}
      <Field {...field('code')} label={t.setUp.code} hint={t.setUp.codeHint} autoComplete="off" spellCheck={false} />
      <Field
        {...field('login')}
        label={t.signIn.login}
        hint={t.setUp.loginHint}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
      />
      <Field {...field('email')} label={t.setUp.email} hint={t.setUp.emailHint} type="email" autoComplete="email" />
      <Field
        {...field('password')}
        label={t.signIn.password}
        hint={t.setUp.passwordHint}
        type="password"
        autoComplete="new-password"
      />
      <button type="submit" className="btn btn-main" aria-disabled={setUp.isPending}>
        {t.setUp.submit}
      </button>
    </form>
  );
}

/** What is wrong with the form, by field, in the order of the fields. */
function problems(form: Form, t: Catalogue): Partial<Record<keyof Form, string>> {
  const out: Partial<Record<keyof Form, string>> = {};
  if (form.code.trim() === '') out.code = t.signIn.needed;
  const login = form.login.trim();
  if (login === '') out.login = t.signIn.needed;
  else if (!within(login, loginLength) || !/^[\p{L}\p{Nd}\p{M}._@+-]+$/u.test(login)) out.login = t.setUp.loginWrong;
  const email = form.email.trim();
  if (email !== '' && !/^\S+@\S+\.\S+$/.test(email)) out.email = t.setUp.emailWrong;
  const missing = passwordLength.min - [...form.password].length;
  if (missing > 0) out.password = t.setUp.passwordShort(missing);
  else if (!within(form.password, passwordLength)) out.password = t.setUp.passwordLong;
  return out;
}

/** Whether a text has as many characters as it may; one outside of the BMP counts once, as on the server. */
function within(text: string, { min, max }: { min: number; max: number }): boolean {
  const n = [...text].length;
  return n >= min && n <= max;
}
