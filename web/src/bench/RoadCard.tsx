import type { Answer, Home } from '../api/model';
import { span } from '../shared/format';
import { Copy } from '../shared/Copy';
import { Icon } from '../shared/Icon';
import { entry, useWords, type Catalogue } from '../texts/texts';
import { stageText } from './describe';
import { asCommand, asCurl, changedAt, layoutBar, ticks } from './road';
import type { Turn } from './useConversation';

/** The stages in their order on the road; the place gives the colour of the series. */
const order = ['hear', 'understand', 'resolve', 'send', 'confirm', 'answer'];
const series = (stage: string) => `series-${(order.indexOf(stage) + order.length) % order.length}`;

interface RoadProps {
  home: Home;
  /** The last sentence that was answered. */
  turn: Turn | undefined;
  /** A later sentence is under way. */
  waiting: boolean;
  replay: () => void;
}

/** How long the last sentence took, and where: in all, as a bar at true scale, and stage by stage. */
export function RoadCard({ home, turn, waiting, replay }: RoadProps) {
  const { t } = useWords();
  const answer = turn?.answer;
  return (
    <section className={waiting ? 'card road is-old' : 'card road'} aria-label={t.road.title} aria-busy={waiting}>
      {answer ? (
        <Road home={home} turn={turn} answer={answer} replay={replay} />
      ) : (
        <div className="road-empty">
          <h2>{waiting ? t.road.sending : t.road.empty}</h2>
          <p>{t.road.emptyWhy}</p>
        </div>
      )}
    </section>
  );
}

function Road({ home, turn, answer, replay }: { home: Home; turn: Turn; answer: Answer; replay: () => void }) {
  const { lang, t } = useWords();
  const spoken = { origin: window.location.origin, home: home.id, room: turn.room, text: turn.text };
  return (
    <>
      <div className="road-sum">
        <h2 className="road-total">
          <span className="vh">{t.road.title}: </span>
          {span(answer.totalUS)}
        </h2>
        <p className="road-what">
          {sumText(answer, t)}
          {turn.endedAt !== undefined && (
            <span className="road-trip"> · {t.road.trip(span((turn.endedAt - turn.startedAt) * 1000))}</span>
          )}
        </p>
        <div className="road-acts">
          <button type="button" className="btn btn-s btn-line" title={`${t.keys.replay} (R)`} onClick={replay}>
            <Icon name="again" small />
            {t.road.replay}
            <kbd aria-hidden="true">R</kbd>
          </button>
          <Copy text={() => asCurl(spoken)} label={t.road.curlLabel}>
            {t.road.curl}
          </Copy>
          <Copy text={() => asCommand(spoken)} label={t.road.commandLabel}>
            {t.road.command}
          </Copy>
        </div>
      </div>
      <Bar answer={answer} t={t} />
      <ol className="stages">
        {answer.stages.map((s) => {
          const { text, code } = stageText(s.name, answer, home, lang, t);
          return (
            <li key={s.name} data-stage={s.name}>
              <div className="stage-head">
                <span className={`stage-key ${series(s.name)}`} />
                {stageName(s.name, t)}
                <b>{span(s.lengthUS)}</b>
              </div>
              <p className={code ? 'stage-text mono' : 'stage-text'}>{text}</p>
              <p className="stage-detail" title={s.detail}>
                {s.detail}
              </p>
            </li>
          );
        })}
      </ol>
      {answer.stages.length === 0 && <p className="road-none">{t.road.noTimes}</p>}
    </>
  );
}

const stageName = (stage: string, t: Catalogue) => entry(t.stages, stage) ?? stage;

function sumText(answer: Answer, t: Catalogue): string {
  if (answer.outcome === 'failed') return t.road.failed;
  const at = changedAt(answer.stages);
  return answer.outcome === 'act' && at !== undefined ? t.road.acted(span(at)) : t.road.talked;
}

const thinnest = 0.7; // per cent of the bar: a stage of microseconds is still seen

function Bar({ answer, t }: { answer: Answer; t: Catalogue }) {
  if (answer.stages.length === 0) return null;
  const twin = answer.stages.map((s) => t.road.barPart(stageName(s.name, t), span(s.lengthUS)));
  return (
    <>
      <div className="time-bar" role="img" aria-label={t.road.bar(twin.join(', '))}>
        {layoutBar(answer.stages, answer.totalUS, thinnest).map((s) => (
          <span
            key={s.name}
            className={series(s.name)}
            style={{ left: `${s.from}%`, width: `calc(${s.to - s.from}% - var(--slit))` }}
          />
        ))}
      </div>
      <div className="ticks" aria-hidden="true">
        {ticks(answer.totalUS).map((mark) => (
          <i key={mark.us} style={{ left: `${mark.at}%` }}>
            {mark.at === 0 ? '0' : span(mark.us)}
          </i>
        ))}
      </div>
    </>
  );
}
