import { memo, useMemo, type RefObject } from 'react';
import { clock, instant, span } from '../shared/format';
import { Icon } from '../shared/Icon';
import { useWindowed } from '../shared/useWindowed';
import { entry, useWords } from '../texts/texts';
import { matches, rowLimit, wordsOf, type Message, type Row } from './live';
import type { Live } from './useLive';

/** Which rows belong to the last sentence: those of its devices that came while it was on its way. */
export interface Marked {
  devices: string[];
  from: number;
  to: number;
}

interface LogProps {
  live: Live;
  nameOf: (device: string) => string;
  filter: string;
  setFilter: (filter: string) => void;
  marked: Marked | undefined;
  field: RefObject<HTMLInputElement | null>;
  /** A sentence to try while the log is empty. */
  example: string | undefined;
  say: (text: string) => void;
}

/** What devices and platform say to each other, as it happens; the newest on top. */
export function LogCard({ live, nameOf, filter, setFilter, marked, field, example, say }: LogProps) {
  const { t } = useWords();
  const { log, act, link } = live;
  const rows = useMemo(() => {
    const words = wordsOf(filter);
    return words.length === 0 ? log.rows : log.rows.filter((r) => matches(r, words, nameOf));
  }, [log.rows, filter, nameOf]);
  const paused = log.held !== undefined;
  const linkText = { connecting: t.log.connecting, open: t.log.live, lost: t.log.lost, refused: t.log.refused }[link];
  return (
    <section className="card log" aria-label={t.log.title}>
      <div className="card-head log-head">
        <h2>{t.log.title}</h2>
        <span className="tag" data-link={link}>
          <span className={link === 'open' ? 'led led-on' : 'led led-off'} />
          {linkText}
        </span>
        <span className="log-note">
          {paused ? (log.heldCount > 0 ? t.log.held(log.heldCount) : t.log.paused) : t.log.kept(rowLimit)}
        </span>
        <div className="log-acts">
          <label className="input input-s log-filter">
            <Icon name="filter" small />
            <input
              ref={field}
              value={filter}
              onChange={(e) => setFilter(e.target.value)}
              onKeyDown={(e) => {
                if (e.key !== 'Escape') return;
                if (filter === '') e.currentTarget.blur();
                else setFilter('');
              }}
              aria-label={t.log.filterLabel}
              placeholder={t.log.filter}
              title={`${t.log.filterLabel} (/)`}
              autoComplete="off"
              spellCheck={false}
              name="filter"
            />
            <kbd aria-hidden="true">/</kbd>
          </label>
          <button
            type="button"
            className="btn btn-s btn-line"
            aria-pressed={paused}
            title={`${t.keys.pause} (P)`}
            onClick={() => act({ act: paused ? 'resume' : 'pause' })}
          >
            <Icon name={paused ? 'play' : 'pause'} small />
            {paused ? t.log.resume : t.log.pause}
            <kbd aria-hidden="true">P</kbd>
          </button>
        </div>
      </div>
      {rows.length > 0 ? (
        <Rows rows={rows} nameOf={nameOf} marked={marked} />
      ) : filter.trim() !== '' && log.rows.length > 0 ? (
        <div className="log-empty">
          <p>{t.log.nothing(filter.trim())}</p>
          <button type="button" className="btn btn-s btn-line" onClick={() => setFilter('')}>
            {t.log.clearFilter}
          </button>
        </div>
      ) : (
        <div className="log-empty">
          <p>
            <b>{t.log.empty}</b> {t.log.emptyWhy}
          </p>
          {example !== undefined && (
            <button type="button" className="chip" onClick={() => say(example)}>
              {example}
            </button>
          )}
        </div>
      )}
    </section>
  );
}

const rowHeight = 36; // px, --h-row-dense

function Rows({
  rows,
  nameOf,
  marked,
}: {
  rows: Row[];
  nameOf: (device: string) => string;
  marked: Marked | undefined;
}) {
  const { t } = useWords();
  const { box, onScroll, from, to, above, below } = useWindowed(rows, rowHeight);
  return (
    <div className="log-scroll" ref={box} onScroll={onScroll} tabIndex={0} role="region" aria-label={t.log.region}>
      <table className="table" aria-live="off" aria-rowcount={rows.length + 1}>
        <thead>
          <tr>
            <th scope="col">{t.log.time}</th>
            <th scope="col">{t.log.direction}</th>
            <th scope="col">{t.log.device}</th>
            <th scope="col" className="wide">
              {t.log.topic}
            </th>
            <th scope="col">{t.log.content}</th>
            <th scope="col">{t.log.result}</th>
            <th scope="col" className="wide end">
              {t.log.took}
            </th>
          </tr>
        </thead>
        <tbody>
          {above > 0 && <Space height={above} />}
          {rows.slice(from, to).map((row, i) => (
            <LogRow
              key={row.key}
              row={row}
              index={from + i + 2}
              name={nameOfRow(row, nameOf)}
              mine={isMine(row, marked)}
            />
          ))}
          {below > 0 && <Space height={below} />}
        </tbody>
      </table>
    </div>
  );
}

/** Rows that are not in sight. */
function Space({ height }: { height: number }) {
  return (
    <tr className="row-space" aria-hidden="true">
      <td colSpan={7} style={{ height }} />
    </tr>
  );
}

function isMine(row: Row, marked: Marked | undefined): boolean {
  if (!marked || row.kind !== 'message') return false;
  return row.came >= marked.from && row.came <= marked.to && marked.devices.includes(row.message.device);
}

function nameOfRow(row: Row, nameOf: (device: string) => string): string {
  if (row.kind === 'message') return nameOf(row.message.device);
  return row.kind === 'presence' ? nameOf(row.device) : '';
}

const LogRow = memo(function LogRow({
  row,
  index,
  name,
  mine,
}: {
  row: Row;
  index: number;
  name: string;
  mine: boolean;
}) {
  const { lang, t } = useWords();
  if (row.kind === 'gap' || row.kind === 'dropped') {
    return (
      <tr className="row-gap" data-row aria-rowindex={index}>
        <td colSpan={7} title={row.kind === 'gap' ? t.log.gap : undefined}>
          <Icon name="gap" small /> {row.kind === 'gap' ? t.log.gap : t.log.dropped(row.count)}
        </td>
      </tr>
    );
  }
  if (row.kind === 'presence') {
    return (
      <tr data-row aria-rowindex={index}>
        <td className="mono" title={instant(row.at, lang)}>
          {clock(row.at)}
        </td>
        <td>
          <span className="dir">
            <Icon name="plug" small />
            {row.online ? t.log.online : t.log.offline}
          </span>
        </td>
        <td>{name}</td>
        <td className="wide" />
        <td className="content">{row.reason}</td>
        <td />
        <td className="wide" />
      </tr>
    );
  }
  const m = row.message;
  const tone = resultTone(m.result);
  return (
    <tr
      className={mine ? 'row-mine' : tone === 'tag-bad' ? 'row-bad' : undefined}
      data-row
      data-pos={m.pos}
      aria-rowindex={index}
    >
      <td className="mono" title={instant(m.at, lang)}>
        {clock(m.at)}
      </td>
      <td>
        <span className={m.direction === 'up' ? 'dir dir-up' : 'dir dir-down'}>
          <Icon name={m.direction === 'up' ? 'up' : 'downward'} small />
          {m.direction === 'up' ? t.log.up : t.log.down}
        </span>
      </td>
      <td>{name}</td>
      <td className="mono wide" title={m.topic}>
        {shortTopic(m.topic)}
      </td>
      <td className="content mono" title={m.payload}>
        {shortPayload(m)}
        {whyOf(m.result) !== '' && <span className="why"> {whyOf(m.result)}</span>}
      </td>
      <td>
        {m.result !== '' && (
          <span className={`tag ${tone}`} title={m.result}>
            {resultText(m.result, t.results)}
          </span>
        )}
      </td>
      <td className="wide end num">{m.tookUS === undefined ? '' : span(m.tookUS)}</td>
    </tr>
  );
});

/** The part of a topic that differs between messages of one device; the whole one is in the tooltip. */
function shortTopic(topic: string): string {
  return topic.replace(/^\/(sys|ext)\/[^/]+\/[^/]+\//, '').replace(/^thing\//, '');
}

/** What an Alink message says, without its envelope; the whole message is in the tooltip. */
function shortPayload(m: Message): string {
  try {
    const body = JSON.parse(m.payload) as { params?: unknown; code?: unknown; message?: unknown } | null;
    if (typeof body !== 'object' || body === null) return m.payload;
    if (body.params !== undefined) return JSON.stringify(body.params);
    if (typeof body.code !== 'number') return m.payload;
    return JSON.stringify(body.code === 200 ? { code: 200 } : { code: body.code, message: body.message });
  } catch {
    return m.payload;
  }
}

function resultTone(result: string): string {
  if (/^(ok|200|stored|accepted|done)\b/.test(result)) return 'tag-ok';
  return /refused|rejected|failed|dropped|expired|\b[45]\d\d\b/.test(result) ? 'tag-bad' : '';
}

/** The word of a result in our language; why something was refused stands behind the content instead. */
function resultText(result: string, words: Record<string, string>): string {
  const [, word = '', code = ''] = /^(\w*)( \d+)?/.exec(result) ?? [];
  return (entry(words, word) ?? word) + code;
}

/** Why, of "refused: why". */
const whyOf = (result: string) => /^\w+: (.+)$/.exec(result)?.[1] ?? '';
