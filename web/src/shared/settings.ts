import { useSyncExternalStore } from 'react';

/** What a person chose in this browser, by name; every one survives without storage, only shorter. */
const defaults = { theme: 'system', lang: '', sound: 'on', letters: 'on' };
export type Setting = keyof typeof defaults;

const listeners = new Set<() => void>();
const session = new Map<Setting, string>();

export function setting(name: Setting): string {
  try {
    return localStorage.getItem(`lampworks.${name}`) ?? session.get(name) ?? defaults[name];
  } catch {
    return session.get(name) ?? defaults[name];
  }
}

export function choose(name: Setting, value: string): void {
  session.set(name, value);
  try {
    localStorage.setItem(`lampworks.${name}`, value);
  } catch {
    // Storage is forbidden here: the choice lasts as long as the page.
  }
  for (const tell of listeners) tell();
}

export function useSetting(name: Setting): [string, (value: string) => void] {
  const value = useSyncExternalStore(subscribe, () => setting(name));
  return [value, (v) => choose(name, v)];
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  window.addEventListener('storage', tell);
  return () => {
    listeners.delete(tell);
    window.removeEventListener('storage', tell);
  };
}

/** Puts the chosen theme on the document; 'system' leaves the decision to the browser. */
export function applyTheme(theme: string): void {
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme;
  else delete document.documentElement.dataset['theme'];
}
