/** Line icons on a 20 px grid. They are decoration: the control that bears one has a name of its own. */
const paths = {
  bench: 'M2.5 13.5h15M4.5 13.5V17M15.5 13.5V17M10 2.8c2 2.7 3 4.3 3 6a3 3 0 0 1-6 0c0-1.7 1-3.3 3-6Z',
  moon: 'M16.4 12A6.8 6.8 0 0 1 8 3.6a6.8 6.8 0 1 0 8.4 8.4Z',
  sun: 'M10 6.4a3.6 3.6 0 1 1 0 7.2 3.6 3.6 0 0 1 0-7.2ZM10 2v1.6M10 16.4V18M2 10h1.6M16.4 10H18M4.4 4.4l1.1 1.1M14.5 14.5l1.1 1.1M4.4 15.6l1.1-1.1M14.5 5.5l1.1-1.1',
  system: 'M3 4.5h14v9H3zM7.5 17h5M10 13.5V17',
  check: 'm4.5 10.5 3.7 3.7 7.3-8',
  down: 'm5.5 8 4.5 4.5L14.5 8',
  flask: 'M8 3h4M8.7 3v5L4.5 15a1.3 1.3 0 0 0 1.1 2h8.8a1.3 1.3 0 0 0 1.1-2l-4.2-7V3M6.3 12.5h7.4',
  send: 'M10 16V4.5M5.2 9.2 10 4.4l4.8 4.8',
  play: 'M6.5 4.5v11l9-5.5z',
  again: 'M4.2 10a5.9 5.9 0 1 1 1.8 4.2M4 16.2v-3.6h3.6',
  copy: 'M7 8.8A1.8 1.8 0 0 1 8.8 7h6A1.8 1.8 0 0 1 16.6 8.8v6a1.8 1.8 0 0 1-1.8 1.8h-6A1.8 1.8 0 0 1 7 14.8zM13.2 7V5.3a1.8 1.8 0 0 0-1.8-1.8H5.3a1.8 1.8 0 0 0-1.8 1.8v6.1a1.8 1.8 0 0 0 1.8 1.8H7',
  filter: 'M3.5 5h13l-5 6v4.5l-3 1V11z',
  pause: 'M7 5v10M13 5v10',
  up: 'M10 16V4.5M5.5 9 10 4.5 14.5 9',
  downward: 'M10 4v11.5M5.5 11l4.5 4.5 4.5-4.5',
  plug: 'M7 3v4M13 3v4M5 7h10v3a5 5 0 0 1-10 0zM10 15v2.5',
  gap: 'M3 10h3M8.5 10h3M14 10h3M6.5 5.5l-1 9M14.5 5.5l-1 9',
  sound: 'M3.5 8v4h2.8L10 15.2V4.8L6.3 8zM12.8 7.4a3.8 3.8 0 0 1 0 5.2M15 5.4a6.6 6.6 0 0 1 0 9.2',
  mute: 'M3.5 8v4h2.8L10 15.2V4.8L6.3 8zM13 8l4 4M17 8l-4 4',
  wave: 'M3 9v2M6.5 6.5v7M10 4v12M13.5 7v6M17 9v2',
  warn: 'M10 3.2 17.6 16H2.4zM10 8v4M10 14.1v.2',
  close: 'm5 5 10 10M15 5 5 15',
  person: 'M10 3.6a3.2 3.2 0 1 1 0 6.4 3.2 3.2 0 0 1 0-6.4ZM3.8 17c.6-3.4 3.1-5 6.2-5s5.6 1.6 6.2 5',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, small = false }: { name: IconName; small?: boolean }) {
  return (
    <svg className={small ? 'icon icon-s' : 'icon'} viewBox="0 0 20 20" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

/** The sign of Lampworks, as in design/logo.svg, for use beside its name. */
export function Sign() {
  return (
    <svg className="sign" viewBox="0 0 64 64" aria-hidden="true">
      <path d="M20.2 19.6a20.5 20.5 0 1 0 23.6 0" fill="none" stroke="#0b7a83" strokeWidth="7" strokeLinecap="round" />
      <path
        d="M32 3.5c6.2 8.6 10.2 15 10.2 22.3A10.2 10.2 0 0 1 32 36a10.2 10.2 0 0 1-10.2-10.2c0-7.3 4-13.7 10.2-22.3Z"
        fill="#d9641e"
      />
      <path d="M32 17.5c2.9 4.1 4.7 6.9 4.7 10.1a4.7 4.7 0 0 1-9.4 0c0-3.2 1.8-6 4.7-10.1Z" fill="#ffd08a" />
    </svg>
  );
}
