import { useEffect, useEffectEvent } from 'react';
import { setting } from './settings';

/** Whether the person is typing, so that a letter is a letter. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** Runs `keys[key]` for a single key pressed outside of fields, menus and dialogs. A person can switch the letters off. */
export function useShortcuts(keys: Record<string, () => void>): void {
  const onKey = useEffectEvent((e: KeyboardEvent) => {
    if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || e.repeat) return;
    if (setting('letters') !== 'on' || isTyping(e.target)) return;
    if (e.target instanceof Element && e.target.closest('[role=menu], dialog')) return;
    const run = keys[e.key.length === 1 ? e.key.toLowerCase() : e.key];
    if (!run) return;
    e.preventDefault();
    run();
  });
  useEffect(() => {
    const listen = (e: KeyboardEvent) => onKey(e);
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, []);
}
