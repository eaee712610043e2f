import type { Device, Fault, Home } from '../api/model';
import { clock, instant } from '../shared/format';
import { Icon } from '../shared/Icon';
import { useWords } from '../texts/texts';
import { lampPills, lastReport, nameOf, placed, roomOf, unmet } from './describe';
import { FaultMenu } from './FaultMenu';
import { lightOf, number } from './light';
import { SceneArt } from './Scene';

/** One lamp, drawn with its light; the curtain in the window is the one of the same room. */
export function SceneCard({
  home,
  lamp,
  setFault,
}: {
  home: Home;
  lamp: Device | undefined;
  setFault: (d: Device, fault: Fault) => void;
}) {
  const { lang, t } = useWords();
  const light = lamp && lightOf(lamp);
  const name = lamp ? placed(home, lamp, lang, t) : '';
  const label = !light ? t.scene.none : light.on ? t.scene.lit(name, light.percent ?? 100) : t.scene.dark(name);
  return (
    <section className={lamp && !lamp.online ? 'scene is-away' : 'scene'} aria-label={t.scene.label}>
      <SceneArt light={light} shut={curtainOf(home, lamp)} label={label} />
      <div className="hud hud-top">
        {lamp ? (
          <span className="pill">
            <span className={lamp.online ? 'led led-on' : 'led led-off'} />
            <span>
              {[roomOf(home, lamp.room, lang), nameOf(lamp, lang)].filter(Boolean).join(' · ')}
              <span className="pill-dim"> {lamp.virtual ? t.scene.virtual : t.scene.real}</span>
            </span>
          </span>
        ) : (
          <span className="pill">{t.scene.noneHint}</span>
        )}
        {lamp?.virtual && <FaultMenu key={lamp.id} device={lamp} wide pick={(fault) => setFault(lamp, fault)} />}
      </div>
      {lamp && <Pills lamp={lamp} />}
    </section>
  );
}

function Pills({ lamp }: { lamp: Device }) {
  const { lang, t } = useWords();
  const open = unmet(lamp, lang, t);
  const at = lastReport(lamp);
  return (
    <div className="hud hud-foot">
      {lampPills(lamp, lang, t).map((p) => (
        <span className="pill" key={p.label}>
          <span className="pill-dim">{p.label}</span>
          {p.swatch !== undefined && <span className="swatch" style={{ background: p.swatch }} />}
          <b>{p.value}</b>
        </span>
      ))}
      {!lamp.online ? (
        <span className="pill pill-end" title={instant(at, lang)}>
          <Icon name="plug" small />
          {at === '' ? t.things.offline : `${t.things.offline} · ${t.things.age(clock(at, false))}`}
        </span>
      ) : open === '' ? (
        <span className="pill pill-end pill-agree">
          <span className="pill-dim">{t.scene.agree}</span>
          <Icon name="check" small />
        </span>
      ) : (
        open !== undefined && <span className="pill pill-end pill-differ">{t.scene.differ(open)}</span>
      )}
    </div>
  );
}

/** How far the curtain of the lamp's room is shut, 0 to 1; undefined if the room has none. */
function curtainOf(home: Home, lamp: Device | undefined): number | undefined {
  const curtain = home.devices.find((d) => d.category === 'curtain' && (!lamp || d.room === lamp.room));
  if (!curtain) return undefined;
  return 1 - Math.min(Math.max(number(curtain, 'position') ?? 100, 0), 100) / 100;
}
