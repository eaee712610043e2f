import type { Device } from '../../api/model';
import { cssRGB, flag, isLamp, lightOf, number, property } from '../light';

/** A thing drawn as it stands now. Decoration: the card says the same in words. */
export function Drawing({ device }: { device: Device }) {
  return (
    <svg className="drawing" viewBox="0 0 96 64" aria-hidden="true">
      <Shape device={device} />
    </svg>
  );
}

function Shape({ device }: { device: Device }) {
  if (isLamp(device)) return <Bulb device={device} />;
  const on = flag(device, 'powerstate') ?? false;
  switch (device.category) {
    case 'curtain':
      return <Curtain position={number(device, 'position') ?? 0} />;
    case 'air_conditioner':
      return <AirConditioner device={device} on={on} />;
    case 'kettle':
      return <Kettle on={on} temperature={number(device, 'temperature')} />;
    case 'fan':
      return <Fan on={on} speed={number(device, 'windspeed') ?? 1} />;
    case 'outlet':
      return <Outlet on={on} />;
    case 'sensor':
      return <Sensor device={device} />;
    default:
      return <Box on={on} />;
  }
}

function Bulb({ device }: { device: Device }) {
  const light = lightOf(device);
  return (
    <g style={{ '--lamp': cssRGB(light.rgb), '--level': light.level ** 0.6 } as React.CSSProperties}>
      <circle className="bulb-halo" cx="48" cy="25" r="25" />
      <path
        className="d-glass"
        d="M48 7a17 17 0 0 0-10 30.6c1.6 1.3 2.5 3 2.5 4.9h15c0-1.9.9-3.6 2.5-4.9A17 17 0 0 0 48 7Z"
      />
      <path
        className="bulb-lit"
        d="M48 7a17 17 0 0 0-10 30.6c1.6 1.3 2.5 3 2.5 4.9h15c0-1.9.9-3.6 2.5-4.9A17 17 0 0 0 48 7Z"
      />
      <path className="d-line" d="M44 42v-9l-4-5m12 14v-9l4-5" />
      <path className="d-solid" d="M41 46h14v6a4 4 0 0 1-4 4h-6a4 4 0 0 1-4-4z" />
      <path className="d-cut" d="M41 50h14" />
    </g>
  );
}

function Curtain({ position }: { position: number }) {
  const shut = 1 - Math.min(Math.max(position, 0), 100) / 100;
  const style = { '--shut': 0.22 + 0.78 * shut } as React.CSSProperties;
  return (
    <g>
      <rect className="d-sky" x="22" y="12" width="52" height="44" rx="2" />
      <circle className="d-moon" cx="60" cy="22" r="4.5" />
      <path className="d-line" d="M48 12v44M22 34h52" />
      <g style={style}>
        <g className="drape drape-left">
          <rect x="18" y="9" width="30" height="50" rx="1.5" />
          <path className="d-fold" d="M25 10v48M32 10v48M40 10v48" />
        </g>
        <g className="drape drape-right">
          <rect x="48" y="9" width="30" height="50" rx="1.5" />
          <path className="d-fold" d="M71 10v48M64 10v48M56 10v48" />
        </g>
      </g>
      <path className="d-rod" d="M12 8h72" />
    </g>
  );
}

function AirConditioner({ device, on }: { device: Device; on: boolean }) {
  const mode = modeOf(device);
  const set = number(device, 'targetTemperature');
  return (
    <g className={on ? `air air-${mode}` : 'air'}>
      <rect className="d-body" x="12" y="10" width="72" height="25" rx="6" />
      <path className="d-line" d="M18 29h60" />
      {on && set !== undefined && (
        <text className="d-figure" x="76" y="24" textAnchor="end">
          {Math.round(set)}°
        </text>
      )}
      <circle className="d-led" cx="20" cy="18" r="2" />
      {on && <path className="d-air" d="M28 42c-4 5 4 8 0 14M48 42c-4 5 4 8 0 14M68 42c-4 5 4 8 0 14" />}
    </g>
  );
}

function modeOf(device: Device): string {
  const v = device.state['mode']?.value;
  const name =
    Object.values(property(device, 'mode')?.enum.find((e) => e.value === v)?.names ?? {}).join() || String(v);
  return /heat|热/.test(name) ? 'warm' : /cool|冷/.test(name) ? 'cool' : 'plain';
}

function Kettle({ on, temperature }: { on: boolean; temperature: number | undefined }) {
  return (
    <g>
      {(on || (temperature ?? 0) >= 80) && <path className="d-steam" d="M30 14c-4-5 4-7 0-12M40 12c-4-5 4-6 0-10" />}
      <path className="d-body" d="M34 24h26l6 30a3 3 0 0 1-3 3.5H31a3 3 0 0 1-3-3.5z" />
      <path className="d-body" d="m34 26-11-5 1 8 8 6" />
      <path className="d-line" d="M60 27c13-3 18 8 9 19M40 24c0-7 14-7 14 0" />
      <path className="d-line" d="M26 60h42" />
      <circle className={on ? 'd-led d-led-hot' : 'd-led'} cx="47" cy="50" r="2.5" />
    </g>
  );
}

function Fan({ on, speed }: { on: boolean; speed: number }) {
  const turn = { '--turn': `${Math.max(0.35, 1.6 - speed * 0.3)}s` } as React.CSSProperties;
  return (
    <g style={turn}>
      <circle className="d-glass" cx="48" cy="26" r="22" />
      <g className={on ? 'blades blades-on' : 'blades'}>
        {[0, 120, 240].map((angle) => (
          <path
            key={angle}
            className="d-blade"
            d="M48 25c-3-7-1-15 6-17 5 4 4 12-6 17Z"
            transform={`rotate(${angle} 48 26)`}
          />
        ))}
      </g>
      <circle className="d-solid" cx="48" cy="26" r="3" />
      <path className="d-line" d="M48 48v10M36 60h24" />
    </g>
  );
}

function Outlet({ on }: { on: boolean }) {
  return (
    <g>
      <rect className="d-body" x="24" y="8" width="48" height="48" rx="9" />
      <path className="d-slot" d="m39 24-3 7M57 24l3 7M48 38v8" />
      <circle className={on ? 'd-led d-led-hot' : 'd-led'} cx="48" cy="17" r="2.5" />
    </g>
  );
}

function Sensor({ device }: { device: Device }) {
  const degrees = number(device, 'temperature');
  const full = degrees === undefined ? 0 : Math.min(Math.max((degrees + 10) / 50, 0), 1);
  return (
    <g>
      <path className="d-glass" d="M42 10a6 6 0 0 1 12 0v26a11 11 0 1 1-12 0z" />
      <circle className="d-mercury" cx="48" cy="45" r="7" />
      <path className="d-mercury-line" d={`M48 45V${38 - full * 26}`} />
      <path className="d-line" d="M60 14h6M60 22h4M60 30h6" />
    </g>
  );
}

function Box({ on }: { on: boolean }) {
  return (
    <g>
      <rect className="d-body" x="26" y="12" width="44" height="44" rx="8" />
      <path className="d-line" d="M26 26h44" />
      <circle className={on ? 'd-led d-led-hot' : 'd-led'} cx="34" cy="19" r="2.5" />
    </g>
  );
}
