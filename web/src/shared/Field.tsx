import { useId, useState, type InputHTMLAttributes, type RefObject } from 'react';

interface FieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'value' | 'onChange'> {
  label: string;
  value: string;
  onValue: (value: string) => void;
  hint?: string;
  /** What is wrong with the value, or undefined. Told after the field was left or the form was sent. */
  problem?: string | undefined;
  /** The form was sent: problems are told at once. */
  sent: boolean;
  inputRef?: RefObject<HTMLInputElement | null>;
}

export function Field({ label, value, onValue, hint, problem, sent, inputRef, ...rest }: FieldProps) {
  const id = useId();
  const [left, setLeft] = useState(false);
  const told = left || sent ? problem : undefined;
  const below = told ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        {...rest}
        id={id}
        ref={inputRef}
        className={told === undefined ? 'input' : 'input input-bad'}
        value={value}
        onChange={(e) => onValue(e.target.value)}
        onBlur={() => setLeft(value !== '')}
        aria-invalid={told !== undefined}
        aria-describedby={below === undefined ? undefined : `${id}-below`}
      />
      {below !== undefined && (
        <p id={`${id}-below`} className={told === undefined ? 'hint' : 'hint hint-bad'}>
          {below}
        </p>
      )}
    </div>
  );
}
