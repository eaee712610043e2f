import { useEffect, useRef, useState, type SubmitEvent, type RefObject } from 'react';
import type { Home } from '../api/model';
import type { Problem } from '../api/problem';
import { nameIn } from '../shared/format';
import { Icon } from '../shared/Icon';
import { sentenceOf } from '../shared/states';
import { useWords, type Catalogue } from '../texts/texts';
import { chipsFor } from './chips';
import { nameOf } from './describe';
import type { Turn } from './useConversation';
import type { Announced } from './useLive';
import type { Sound } from './useSound';

interface SpeakerProps {
  home: Home;
  turns: Turn[];
  /** What was announced last. */
  announced: Announced | undefined;
  say: (text: string) => void;
  room: string;
  setRoom: (room: string) => void;
  /** The room it stood in is removed. */
  roomGone: boolean;
  /** Why it is not told what is announced; undefined if it is. */
  deaf: Problem | undefined;
  sound: Sound;
  /** Whether the server can be reached; if not, a sentence stays in the field. */
  reachable: boolean;
  field: RefObject<HTMLInputElement | null>;
}

/** The speaker that is not there: one types what one would say, and reads and hears what it answers. */
export function Speaker(props: SpeakerProps) {
  const { home, turns, announced, say, room, setRoom, sound, reachable, field } = props;
  const { lang, t } = useWords();
  const [text, setText] = useState('');
  const [held, setHeld] = useState(false);
  const submit = (e: SubmitEvent) => {
    e.preventDefault();
    const said = text.trim();
    if (said === '') return;
    if (!reachable) return setHeld(true);
    setHeld(false);
    say(said);
    setText('');
  };
  const last = turns.at(-1);
  return (
    <section className="card speaker" aria-label={t.speaker.title}>
      <div className="card-head">
        <h2>{t.speaker.title}</h2>
        <label className="tag tag-glass room-pick" title={t.speaker.room}>
          <Icon name="wave" small />
          <span className="vh">{t.speaker.room}</span>
          <select value={room} onChange={(e) => setRoom(e.target.value)}>
            {home.rooms.map((r) => (
              <option key={r.id} value={r.id}>
                {nameIn(r.names, lang)}
              </option>
            ))}
            <option value="">{t.speaker.nowhere}</option>
          </select>
        </label>
        <SoundButton sound={sound} t={t} />
      </div>
      <Talk home={home} turns={turns} say={say} sound={sound} />
      <div className="chips" role="group" aria-label={t.speaker.chips}>
        {chipsFor(home, lang, t.chips).map((chip) => (
          <button
            key={chip}
            type="button"
            className={last?.text === chip ? 'chip is-said' : 'chip'}
            disabled={!reachable}
            onClick={() => say(chip)}
          >
            {chip}
          </button>
        ))}
      </div>
      <form className="say" onSubmit={submit}>
        <div className="input say-input">
          <input
            ref={field}
            value={text}
            onChange={(e) => setText(e.target.value)}
            onKeyDown={(e) => {
              if (e.key !== 'Escape') return;
              if (text === '') e.currentTarget.blur();
              else setText('');
            }}
            aria-label={t.speaker.field}
            placeholder={t.speaker.placeholder}
            maxLength={500}
            enterKeyHint="send"
            autoComplete="off"
            name="sentence"
          />
          <kbd aria-hidden="true">Enter</kbd>
        </div>
        <button type="submit" className="btn btn-main btn-round" aria-label={t.speaker.send} title={t.speaker.send}>
          <Icon name="send" />
        </button>
      </form>
      {held && !reachable && (
        <p className="say-note" role="alert">
          {t.speaker.offline}
        </p>
      )}
      {props.roomGone && (
        <p className="say-note" role="status">
          {t.speaker.roomGone}
        </p>
      )}
      {props.deaf && (
        <p className="say-note" role="status">
          {t.speaker.notTold(sentenceOf(props.deaf, t))}
        </p>
      )}
      {announced && (
        <p className="say-note" role="status">
          {t.speaker.announced} <span lang={announced.lang}>{announced.text}</span>
        </p>
      )}
      <p className="vh" role="status" aria-live="polite">
        {last?.answer && agreeable(last) ? last.answer.reply : ''}
      </p>
      <p className="vh" role="alert">
        {last && !agreeable(last) ? (last.answer?.reply ?? (last.problem && sentenceOf(last.problem, t))) : ''}
      </p>
    </section>
  );
}

/** Whether the answer is good news: a refusal interrupts whoever listens to the page, a result does not. */
const agreeable = (turn: Turn) => !turn.problem && !/reject|failed/.test(turn.answer?.outcome ?? '');

function SoundButton({ sound, t }: { sound: Sound; t: Catalogue }) {
  const missing = sound.trouble === 'missing';
  const label = missing ? t.speaker.soundMissing : sound.on ? t.speaker.soundOn : t.speaker.soundOff;
  return (
    <button
      type="button"
      className="bar-button sound"
      aria-pressed={sound.on}
      aria-disabled={missing}
      aria-label={label}
      title={label}
      onClick={() => !missing && sound.setOn(!sound.on)}
    >
      <Icon name={sound.on ? 'sound' : 'mute'} />
    </button>
  );
}

const veil = 14; // px at the top of the talk where it fades out

function Talk({ home, turns, say, sound }: Pick<SpeakerProps, 'home' | 'turns' | 'say' | 'sound'>) {
  const { t } = useWords();
  const box = useRef<HTMLDivElement>(null);
  const length = turns.length;
  const answered = turns.filter((x) => x.endedAt !== undefined).length;
  useEffect(() => {
    const talk = box.current;
    if (!talk) return;
    const toEnd = () => {
      const own = [...talk.querySelectorAll('.bubble-you')].at(-1);
      const end = talk.scrollHeight - talk.clientHeight;
      const ownTop = own ? own.getBoundingClientRect().top - talk.getBoundingClientRect().top + talk.scrollTop : end;
      talk.scrollTop = Math.min(end, ownTop - veil); // a long answer does not push away what it answers
    };
    toEnd();
    const size = new ResizeObserver(toEnd); // the first drawing, another window, chips in another language
    size.observe(talk);
    return () => size.disconnect();
  }, [length, answered, sound.trouble]); // trouble adds a line, and takes the buttons away
  return (
    <div className="talk" ref={box} tabIndex={0} role="group" aria-label={t.speaker.title}>
      {length === 0 && <p className="talk-empty">{t.speaker.welcome}</p>}
      {turns.map((turn) => (
        <Exchange key={turn.key} home={home} turn={turn} say={say} sound={sound} />
      ))}
      {(sound.trouble === 'blocked' || sound.trouble === 'failed') && (
        <p className="talk-note">{sound.trouble === 'blocked' ? t.speaker.soundBlocked : t.speaker.soundFailed}</p>
      )}
      {sound.trouble === 'missing' && answered > 0 && <p className="talk-note">{t.speaker.soundMissing}</p>}
    </div>
  );
}

function Exchange({ home, turn, say, sound }: { home: Home; turn: Turn; say: (text: string) => void; sound: Sound }) {
  const { lang, t } = useWords();
  const { answer, problem } = turn;
  const choices = answer?.outcome === 'clarify' ? home.devices.filter((d) => answer.candidates.includes(d.id)) : [];
  return (
    <>
      <p className="bubble bubble-you">
        <span className="vh">{t.speaker.you}: </span>
        {turn.text}
      </p>
      {!answer && !problem && <p className="bubble bubble-it bubble-wait">{t.speaker.waiting}</p>}
      {answer && (
        <div className={`bubble bubble-it bubble-${answer.outcome}`} data-outcome={answer.outcome}>
          <span className="vh">{t.speaker.it}: </span>
          <span lang={answer.lang}>{answer.reply}</span>
          {sound.trouble !== 'missing' && answer.reply !== '' && (
            <button
              type="button"
              className={sound.playing === turn.key ? 'hear is-playing' : 'hear'}
              aria-label={t.speaker.hear}
              title={t.speaker.hear}
              onClick={() => void sound.hear(answer.reply, answer.lang, turn.key)}
            >
              <Icon name={sound.playing === turn.key ? 'wave' : 'play'} small />
            </button>
          )}
        </div>
      )}
      {choices.length > 0 && (
        <div className="choices" role="group" aria-label={t.speaker.which}>
          {choices.map((d) => {
            const room = home.rooms.find((r) => r.id === d.room);
            const name = nameOf(d, lang);
            const full = room ? t.bench.of(nameIn(room.names, lang), name) : name;
            return (
              <button key={d.id} type="button" className="chip" onClick={() => say(full)}>
                {full}
              </button>
            );
          })}
        </div>
      )}
      {problem && (
        <div className="bubble bubble-problem">
          <span>{problemText(problem, t)}</span>{' '}
          <button type="button" className="link" onClick={() => say(turn.text)}>
            {t.speaker.again}
          </button>
        </div>
      )}
    </>
  );
}

function problemText(problem: NonNullable<Turn['problem']>, t: Catalogue): string {
  if (problem.unreachable) return navigator.onLine ? t.speaker.unknown : t.speaker.notSent;
  if (problem.status === 429) return t.speaker.tooMany;
  return t.speaker.refused(sentenceOf(problem, t));
}
