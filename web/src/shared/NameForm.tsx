import { useState, type SubmitEvent } from 'react';
import type { Names } from '../api/model';
import { useWords } from '../texts/texts';
import { Field } from './Field';
import { Icon } from './Icon';
import { sentenceOf } from './states';

const longest = 100; // characters of a name; the server decides, this only tells earlier

interface NameFormProps {
  label: string;
  hint: string;
  submit: string;
  /** What stands in the field at first. */
  first?: string;
  busy: boolean;
  /** Why it was not made, or null. */
  error: unknown;
  make: (names: Names) => void;
}

/** Asks for one name in the language of the page, and makes something of that name. */
export function NameForm({ label, hint, submit, first = '', busy, error, make }: NameFormProps) {
  const { t, lang } = useWords();
  const [name, setName] = useState(first);
  const [sent, setSent] = useState(false);
  const text = name.trim();
  const problem = text === '' ? t.signIn.needed : [...text].length > longest ? t.state.nameLong(longest) : undefined;
  const onSubmit = (e: SubmitEvent<HTMLFormElement>) => {
    e.preventDefault();
    setSent(true);
    if (problem !== undefined) e.currentTarget.querySelector('input')?.focus();
    else if (!busy) make({ [lang]: text });
  };
  return (
    <form className="form state-form" onSubmit={onSubmit} noValidate>
      {error !== null && (
        <p className="note note-bad" role="alert">
          <Icon name="warn" />
          <span>{sentenceOf(error, t)}</span>
        </p>
      )}
      <Field
        label={label}
        value={name}
        onValue={setName}
        hint={hint}
        problem={problem}
        sent={sent}
        autoComplete="off"
        name="name"
      />
      <button type="submit" className="btn btn-main" aria-disabled={busy}>
        {submit}
      </button>
    </form>
  );
}
