import { lazy, Suspense, useState, type ReactNode } from 'react';

/** A group of choices; the one whose value is chosen bears the mark. Without `chosen` they are plain deeds. */
export interface MenuGroup {
  label: string;
  chosen?: string;
  choices: { value: string; text: string; hint?: string }[];
  pick: (value: string) => void;
}

export interface MenuProps {
  /** Name of the button, if its content is not enough. */
  label?: string;
  className: string;
  children: ReactNode;
  groups: MenuGroup[];
  header?: ReactNode;
}

const load = () => import('./MenuBody');
const MenuBody = lazy(load);

/** A button with a menu. The menu's code comes when the button is pointed at or focused, not with the page. */
export function Menu(props: MenuProps) {
  const [wanted, setWanted] = useState(false);
  const button = (
    <button
      type="button"
      className={props.className}
      aria-label={props.label}
      title={props.label}
      aria-haspopup="menu"
      aria-expanded="false"
      onPointerEnter={() => void load()}
      onFocus={() => void load()}
      onClick={() => setWanted(true)}
    >
      {props.children}
    </button>
  );
  if (!wanted) return button;
  return (
    <Suspense fallback={button}>
      <MenuBody {...props} />
    </Suspense>
  );
}
