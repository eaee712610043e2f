import { useEffect, useRef, useState } from 'react';
import { Problem } from '../api/problem';
import { useServices } from '../session/session';
import { useSetting } from '../shared/settings';

/** missing: the server has no synthesiser. blocked: the browser wants a gesture first. */
export type SoundTrouble = 'missing' | 'blocked' | 'failed' | undefined;

const cacheLimit = 20; // answers whose sound is kept for hearing them again

/** Speaks answers aloud, one at a time; a new one ends the one before. The text always stands on the page as well. */
export function useSound() {
  const { api } = useServices();
  const [choice, setChoice] = useSetting('sound');
  const [trouble, setTrouble] = useState<SoundTrouble>();
  const [playing, setPlaying] = useState<number>();
  const player = useRef<HTMLAudioElement>(null);
  const cache = useRef(new Map<string, string>());

  useEffect(() => {
    const urls = cache.current;
    return () => {
      player.current?.pause();
      for (const url of urls.values()) URL.revokeObjectURL(url);
      urls.clear();
    };
  }, []);

  const urlOf = async (text: string, lang: string) => {
    const key = `${lang}\n${text}`;
    const known = cache.current.get(key);
    if (known !== undefined) return known;
    const url = URL.createObjectURL(await api.speech(text, lang === 'en' ? 'en' : 'zh-CN'));
    cache.current.set(key, url);
    const oldest = cache.current.keys().next().value;
    if (cache.current.size > cacheLimit && oldest !== undefined) {
      URL.revokeObjectURL(cache.current.get(oldest) ?? '');
      cache.current.delete(oldest);
    }
    return url;
  };

  /** Plays one answer; `turn` tells which one is heard. */
  const hear = async (text: string, lang: string, turn: number) => {
    try {
      const url = await urlOf(text, lang);
      player.current?.pause();
      const audio = new Audio(url);
      player.current = audio;
      audio.onended = audio.onpause = () => setPlaying((p) => (p === turn ? undefined : p));
      setPlaying(turn);
      await audio.play();
      setTrouble(undefined);
    } catch (error) {
      setPlaying((p) => (p === turn ? undefined : p));
      if (error instanceof DOMException && error.name === 'AbortError') return; // the next answer came
      if (error instanceof Problem && error.status === 503) setTrouble('missing');
      else if (error instanceof DOMException && error.name === 'NotAllowedError') setTrouble('blocked');
      else setTrouble('failed');
    }
  };
  const on = choice === 'on' && trouble !== 'missing';
  return { on, setOn: (next: boolean) => setChoice(next ? 'on' : 'off'), trouble, playing, hear };
}

export type Sound = ReturnType<typeof useSound>;
