import { useQueryClient } from '@tanstack/react-query';
import { useReducer, useRef } from 'react';
import type { Answer } from '../api/model';
import { Problem } from '../api/problem';
import { useServices } from '../session/session';
import { homeQuery } from './queries';

/** One sentence and what became of it. Times are ms of this page's clock. */
export interface Turn {
  key: number;
  text: string;
  room: string;
  startedAt: number;
  endedAt: number | undefined;
  answer: Answer | undefined;
  problem: Problem | undefined;
}

type Act =
  | { act: 'say'; turn: Turn }
  | { act: 'answered'; key: number; answer: Answer; at: number }
  | { act: 'failed'; key: number; problem: Problem; at: number };

const turnLimit = 50;

export function turnsReducer(turns: Turn[], act: Act): Turn[] {
  switch (act.act) {
    case 'say':
      return [...turns, act.turn].slice(-turnLimit);
    case 'answered':
      return turns.map((t) => (t.key === act.key ? { ...t, answer: act.answer, endedAt: act.at } : t));
    case 'failed':
      return turns.map((t) => (t.key === act.key ? { ...t, problem: act.problem, endedAt: act.at } : t));
  }
}

/** The talk with the speaker of one home. Sentences may overlap: a slow device holds up nobody. */
export function useConversation(home: string, speaker: string, onAnswer: (answer: Answer, turn: number) => void) {
  const { api } = useServices();
  const client = useQueryClient();
  // What was desired in vain may reach no live stream; the home itself knows it.
  const reread = () => void client.invalidateQueries({ queryKey: homeQuery(api, home).queryKey });
  const [turns, act] = useReducer(turnsReducer, []);
  const next = useRef(1);
  const say = async (text: string, room: string) => {
    const key = next.current++;
    const turn = { key, text, room, startedAt: Date.now(), endedAt: undefined, answer: undefined, problem: undefined };
    act({ act: 'say', turn });
    try {
      const answer = await api.say(home, room === '' ? { text, speaker } : { text, room, speaker });
      act({ act: 'answered', key, answer, at: Date.now() });
      if (answer.outcome !== 'act') reread();
      onAnswer(answer, key);
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem(-1, 'client', String(error));
      act({ act: 'failed', key, problem, at: Date.now() });
      reread();
    }
  };
  return { turns, say };
}
