import { cssRGB, type Light } from './light';

/**
 * The bench at night: a lamp with the sign of Lampworks as its bulb, a window whose curtain is the room's own,
 * and the cat. Everything that can change follows --lamp (colour), --level (0..1) and --shut (curtain, 0..1).
 */
export function SceneArt({
  light,
  shut,
  label,
}: {
  light: Light | undefined;
  shut: number | undefined;
  label: string;
}) {
  const level = light?.level ?? 0;
  const style = {
    '--lamp': cssRGB(light?.rgb ?? [255, 207, 143]),
    '--level': level === 0 ? 0 : 0.16 + 0.84 * level ** 0.7, // the eye sees one per cent of light as more than one
    '--shut': shut ?? 0,
  } as React.CSSProperties;
  return (
    <svg
      className={level > 0 ? 'art is-lit' : 'art'}
      viewBox="0 0 720 330"
      preserveAspectRatio="xMidYMax slice"
      role="img"
      aria-label={label}
      style={style}
    >
      <Paints />
      <rect width="720" height="330" fill="url(#sc-wall)" />
      <path d="M0 232h720" stroke="#1d1611" strokeWidth="2" opacity=".5" />
      <NightWindow />
      {shut !== undefined && <Drapes />}
      <Shelf />
      <rect y="272" width="720" height="58" fill="url(#sc-table)" />
      <path d="M0 273h720" stroke="#86634a" strokeWidth="2" opacity=".7" />
      <path
        d="M40 292h170M250 304h240M520 290h150M90 316h120M560 314h90"
        stroke="#2e2018"
        strokeWidth="1.5"
        opacity=".5"
      />
      <Rods />
      <Cat />
      <rect className="shade" width="720" height="330" />
      <ellipse className="glow glow-wall" cx="372" cy="140" rx="370" ry="270" fill="url(#sc-halo)" />
      <ellipse className="glow glow-table" cx="372" cy="288" rx="270" ry="30" fill="url(#sc-pool)" />
      <CatFace bright={level} />
      {light && <Lamp />}
    </svg>
  );
}

function Paints() {
  return (
    <defs>
      <linearGradient id="sc-wall" x1="0" y1="0" x2="0" y2="1">
        <stop offset="0" stopColor="#33281f" />
        <stop offset="1" stopColor="#2a2019" />
      </linearGradient>
      <linearGradient id="sc-table" x1="0" y1="0" x2="0" y2="1">
        <stop offset="0" stopColor="#66492f" />
        <stop offset="1" stopColor="#3d2a1d" />
      </linearGradient>
      <linearGradient id="sc-sky" x1="0" y1="0" x2="0" y2="1">
        <stop offset="0" stopColor="#182338" />
        <stop offset="1" stopColor="#3c5068" />
      </linearGradient>
      <linearGradient id="sc-cloth" x1="0" y1="0" x2="1" y2="0">
        <stop offset="0" stopColor="#6d4030" />
        <stop offset="1" stopColor="#8a5540" />
      </linearGradient>
      <linearGradient id="sc-brass" x1="0" y1="0" x2="1" y2="0">
        <stop offset="0" stopColor="#7d5528" />
        <stop offset=".4" stopColor="#d9ac68" />
        <stop offset="1" stopColor="#6f4a22" />
      </linearGradient>
      <radialGradient id="sc-halo">
        <stop className="lamp-stop" offset="0" stopOpacity=".95" />
        <stop className="lamp-stop" offset=".16" stopOpacity=".62" />
        <stop className="lamp-stop" offset=".42" stopOpacity=".27" />
        <stop className="lamp-stop" offset=".74" stopOpacity=".08" />
        <stop className="lamp-stop" offset="1" stopOpacity="0" />
      </radialGradient>
      <radialGradient id="sc-pool">
        <stop className="lamp-stop" offset="0" stopOpacity=".6" />
        <stop className="lamp-stop" offset="1" stopOpacity="0" />
      </radialGradient>
      <radialGradient id="sc-flame" cx="50%" cy="78%" r="80%">
        <stop offset="0" stopColor="#fffdf6" />
        <stop offset=".28" stopColor="#fff6e2" />
        <stop className="lamp-stop" offset=".75" />
        <stop className="lamp-stop" offset="1" stopOpacity=".85" />
      </radialGradient>
    </defs>
  );
}

function NightWindow() {
  return (
    <g>
      <path d="M62 214V120a80 66 0 0 1 160 0v94z" fill="url(#sc-sky)" />
      <g fill="#e9edf2">
        <circle cx="92" cy="112" r="1.3" />
        <circle cx="118" cy="84" r="1.6" />
        <circle cx="124" cy="128" r="1.1" />
        <circle cx="158" cy="72" r="1.2" />
        <circle cx="206" cy="132" r="1.4" />
        <circle cx="80" cy="142" r="1" />
      </g>
      <path d="M190 86a19 19 0 1 0 13 32 15.5 15.5 0 0 1-13-32Z" fill="#efe6cd" />
      <path d="M62 184c22-20 40-22 60-8s30-18 56-22 30 10 44 6v54H62z" fill="#1d2a38" />
      <path d="M62 200c26-12 46-8 70-2s54-14 90-6v22H62z" fill="#141d28" />
      <g fill="#f0bd6c">
        <rect x="94" y="194" width="3" height="4" />
        <rect x="101" y="196" width="3" height="4" />
        <rect x="176" y="190" width="3" height="4" />
      </g>
      <path d="M142 55v159M62 140h160" stroke="#1a1410" strokeWidth="4" />
      <path d="M62 214V120a80 66 0 0 1 160 0v94z" fill="none" stroke="#1a1410" strokeWidth="7" />
      <rect x="50" y="213" width="184" height="9" rx="2" fill="#1a1410" />
    </g>
  );
}

function Drapes() {
  return (
    <g>
      <g className="scene-drape scene-drape-left">
        <path d="M40 42h104v184H40z" fill="url(#sc-cloth)" />
        <path d="M58 42v184M76 42v184M94 42v184M112 42v184M130 42v184" stroke="#4f2c21" strokeWidth="3" opacity=".55" />
      </g>
      <g className="scene-drape scene-drape-right">
        <path d="M140 42h104v184H140z" fill="url(#sc-cloth)" />
        <path
          d="M154 42v184M172 42v184M190 42v184M208 42v184M226 42v184"
          stroke="#4f2c21"
          strokeWidth="3"
          opacity=".55"
        />
      </g>
      <path d="M30 40h224" stroke="#8f6a3c" strokeWidth="5" strokeLinecap="round" />
      <circle cx="28" cy="40" r="5" fill="#a67c47" />
      <circle cx="256" cy="40" r="5" fill="#a67c47" />
    </g>
  );
}

/** What was made at this bench: a bottle, a bead on a stand, a small vase, a bowl. */
function Shelf() {
  return (
    <g>
      <path d="M540 112h140" stroke="#1a1410" strokeWidth="5" strokeLinecap="round" />
      <path d="M556 114v12M664 114v12" stroke="#1a1410" strokeWidth="3" />
      <path d="M558 109V84c0-5 3-7 3-12v-8h9v8c0 5 3 7 3 12v25z" fill="#3f7f77" opacity=".85" />
      <path d="M562 104V86" stroke="#b9e0d8" strokeWidth="1.8" opacity=".6" strokeLinecap="round" />
      <circle cx="597" cy="92" r="13" fill="#b4632c" opacity=".9" />
      <path
        d="M589 88a9 9 0 0 1 6-5"
        stroke="#ffdcae"
        strokeWidth="2.2"
        fill="none"
        opacity=".7"
        strokeLinecap="round"
      />
      <path d="M588 109h18l-3-5h-12z" fill="#5b4331" />
      <path d="M620 109c-5-8-3-15 2-20-2-3-3-5-3-8h16c0 3-1 5-3 8 5 5 7 12 2 20z" fill="#4b5f92" opacity=".9" />
      <path
        d="M622 103c-2-4-1-8 2-11"
        stroke="#c6d3f2"
        strokeWidth="1.8"
        fill="none"
        opacity=".6"
        strokeLinecap="round"
      />
      <path d="M646 95h28c0 9-6 14-14 14s-14-5-14-14Z" fill="#7a5a83" opacity=".9" />
    </g>
  );
}

/** Rods of glass in a jar, and three beads that are done. */
function Rods() {
  return (
    <g strokeLinecap="round">
      <path d="m262 268-15-66" stroke="#3f9aa0" strokeWidth="4.5" />
      <path d="m268 268-4-78" stroke="#d98b3f" strokeWidth="4.5" />
      <path d="m274 268 7-72" stroke="#a86a9b" strokeWidth="4.5" />
      <path d="m279 268 17-58" stroke="#7fa86a" strokeWidth="4.5" />
      <path d="M250 232h40v40a5 5 0 0 1-5 5h-30a5 5 0 0 1-5-5z" fill="#9fb6b4" opacity=".42" />
      <path d="M250 232h40" stroke="#d5e4e2" strokeWidth="2" opacity=".6" />
      <path d="M256 240v30" stroke="#e8f3f1" strokeWidth="2.5" opacity=".4" />
      <circle cx="312" cy="276" r="6" fill="#3f8f95" />
      <circle cx="326" cy="278" r="5" fill="#c9772f" />
      <circle cx="230" cy="279" r="5.5" fill="#93608a" />
      <path
        d="M309.5 273.5a3.5 3.5 0 0 1 3-1M323.8 276a3 3 0 0 1 2.5-1"
        stroke="#fff"
        strokeWidth="1.4"
        opacity=".7"
        fill="none"
      />
    </g>
  );
}

function Lamp() {
  return (
    <g>
      <ellipse cx="372" cy="281" rx="64" ry="6" fill="#150d08" opacity=".55" />
      <g className="lamp-body">
        <path d="M330 281c0-9 16-11 27-13 6-1 9-4 9-9h12c0 5 3 8 9 9 11 2 27 4 27 13z" fill="#1e545a" />
        <path d="M330 281c0-9 16-11 27-13" fill="none" stroke="#69b3b8" strokeWidth="1.6" opacity=".8" />
        <rect x="367" y="206" width="10" height="56" rx="3" fill="url(#sc-brass)" />
        <path d="M350 200c6 10 38 10 44 0l-5 13c-4 5-30 5-34 0z" fill="url(#sc-brass)" />
      </g>
      <g transform="translate(284 46) scale(2.75)">
        <circle cx="32" cy="36.4" r="20" fill="#8fb4b6" opacity=".1" />
        <g className="lamp-body">
          <path className="bead" d="M20.2 19.6a20.5 20.5 0 1 0 23.6 0" />
          <path className="bead bead-lit" d="M20.2 19.6a20.5 20.5 0 1 0 23.6 0" />
          <path d="M14.6 25.6a20.5 20.5 0 0 0-2.3 15.5" className="bead-shine" />
        </g>
        <path
          className="flame-cold"
          d="M32 3.5c6.2 8.6 10.2 15 10.2 22.3A10.2 10.2 0 0 1 32 36a10.2 10.2 0 0 1-10.2-10.2c0-7.3 4-13.7 10.2-22.3Z"
        />
        <path
          className="flame"
          d="M32 3.5c6.2 8.6 10.2 15 10.2 22.3A10.2 10.2 0 0 1 32 36a10.2 10.2 0 0 1-10.2-10.2c0-7.3 4-13.7 10.2-22.3Z"
        />
      </g>
    </g>
  );
}

const fur = { coat: '#a86a3c', stripe: '#7d4826', belly: '#d9b183' };

function Cat() {
  return (
    <g>
      <path
        className="tail"
        d="M634 268c34 6 50-12 44-30-4-11-16-10-17-1"
        fill="none"
        stroke={fur.coat}
        strokeWidth="12"
        strokeLinecap="round"
      />
      <path d="M484 280c-6-42 26-66 74-65 48 1 88 26 84 65z" fill={fur.coat} />
      <path
        d="M560 216c3 9 3 17 0 25M580 218c4 9 4 17 1 26M600 224c4 8 4 15 1 23M618 235c3 7 3 12 0 19"
        stroke={fur.stripe}
        strokeWidth="6"
        fill="none"
        strokeLinecap="round"
      />
      <path d="M606 280c-3-14 4-24 17-25 12 0 19 10 19 25z" fill="#9c6136" />
      <path d="M468 281c0-8 8-12 20-12h34c8 0 12 4 12 12z" fill={fur.belly} />
      <path d="M484 281v-5M500 281v-5" stroke={fur.stripe} strokeWidth="1.6" opacity=".6" />
    </g>
  );
}

/** The head stands above the shade, so that open eyes are seen even in little light; the brighter, the thinner the pupils. */
function CatFace({ bright }: { bright: number }) {
  const pupil = 4.6 - 3 * bright;
  return (
    <g className="cat-head">
      <g className="cat-fur">
        <path
          d="M467 224l-1-34c0-3 3-4 5-2l18 15a44 44 0 0 1 24 0l18-15c2-2 5-1 5 2l-1 34c8 27-9 45-34 45s-42-18-34-45z"
          fill={fur.coat}
        />
        <path d="M472 200l1 14 8-7zM530 200l-1 14-8-7z" fill="#c98c74" opacity=".8" />
        <path d="M501 203v12M491 205l2 9M511 205l-2 9" stroke={fur.stripe} strokeWidth="4" strokeLinecap="round" />
        <path
          d="M466 238l10 1M467 247l10-1M536 238l-10 1M535 247l-10-1"
          stroke={fur.stripe}
          strokeWidth="3.5"
          strokeLinecap="round"
        />
        <path d="M501 243c12-2 20 6 18 14-2 7-10 11-18 11s-16-4-18-11c-2-8 6-16 18-14z" fill={fur.belly} />
      </g>
      <g className="eyes-shut" fill="none" stroke="#e6c49b" strokeWidth="2.4" strokeLinecap="round">
        <path d="M478 234c4 4.5 10 4.5 14 0M510 234c4 4.5 10 4.5 14 0" />
      </g>
      <g className="eyes-open">
        <ellipse cx="485" cy="233" rx="7.4" ry="7.8" fill="#d7e08a" />
        <ellipse cx="517" cy="233" rx="7.4" ry="7.8" fill="#d7e08a" />
        <ellipse className="pupil" cx="484" cy="233" rx={pupil} ry="6.4" fill="#171008" />
        <ellipse className="pupil" cx="516" cy="233" rx={pupil} ry="6.4" fill="#171008" />
        <circle cx="482.2" cy="230" r="1.5" fill="#fff" />
        <circle cx="514.2" cy="230" r="1.5" fill="#fff" />
      </g>
      <path d="M497 246h8l-4 4.6z" fill="#8d4a3c" />
      <path
        d="M501 250.5c-1.5 4.5-6 5.5-9.5 3M501 250.5c1.5 4.5 6 5.5 9.5 3"
        fill="none"
        stroke="#5a341f"
        strokeWidth="1.7"
        strokeLinecap="round"
      />
      <path
        d="M478 250l-21-4M478 254l-20 3M524 250l21-4M524 254l20 3"
        stroke="#f0dcc0"
        strokeWidth="1.1"
        opacity=".55"
        strokeLinecap="round"
      />
      <g className="zzz" aria-hidden="true">
        <path d="M544 196h9l-9 11h9" />
        <path d="M560 176h12l-12 14h12" />
      </g>
    </g>
  );
}
