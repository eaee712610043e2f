import { createContext, use } from 'react';
import type { Lang } from '../api/model';
import type { Catalogue } from './zh-CN';

export type { Catalogue } from './zh-CN';

const loaders: Record<Lang, () => Promise<{ default: Catalogue }>> = {
  'zh-CN': () => import('./zh-CN'),
  en: () => import('./en'),
};

export const langs = Object.keys(loaders) as Lang[];

/** Loads the catalogue of one language; each is a file of its own. */
export async function loadTexts(lang: Lang): Promise<Catalogue> {
  return (await loaders[lang]()).default;
}

/** The language for somebody who has not chosen one: Chinese for any Chinese, English for the others. */
export function langFor(wishes: readonly string[]): Lang {
  for (const wish of wishes) {
    if (/^zh\b/i.test(wish)) return 'zh-CN';
    if (/^en\b/i.test(wish)) return 'en';
  }
  return 'en';
}

export interface Words {
  lang: Lang;
  t: Catalogue;
  /** Switches once the other catalogue has come; rejects when it cannot be loaded. */
  setLang: (lang: Lang) => Promise<void>;
}

export const WordsContext = createContext<Words | null>(null);

/** The catalogue in use and how to change it. */
export function useWords(): Words {
  const words = use(WordsContext);
  if (!words) throw new Error('useWords outside of WordsContext');
  return words;
}

/** An entry of an open vocabulary (a property, a mode, a reason), or undefined if the catalogue does not know it. */
export function entry<T>(section: Record<string, T>, key: string): T | undefined {
  return Object.hasOwn(section, key) ? section[key] : undefined;
}
