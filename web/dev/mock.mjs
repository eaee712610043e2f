// Plays the API in memory for `npm run dev`, the tests and the pictures: sessions, one home, sentences, speech, the live
// stream. It serves dist/ under the policy that the real server sends, so that what works here works there.
//   node dev/mock.mjs [--port 8099] [--no-speech] [--set-up]

import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { demoHome } from './home.mjs';
import { understand } from './understand.mjs';

export const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "media-src 'self' blob:",
  "font-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const actor = {
  login: 'xiaoman',
  organisation: 'org-demo',
  organisation_name: { 'zh-CN': '星火照明', en: 'Spark Lighting' },
  roles: ['owner'],
  acts: ['home.read', 'home.write', 'device.control', 'voice.speak'],
  kind: 'user',
};
/** The first operator right after the set-up: in no organisation, so without a home. */
const operator = {
  ...actor,
  organisation: '',
  organisation_name: {},
  roles: ['admin'],
  acts: ['organisation.manage', 'platform.operate'],
};
const keepEvents = 1000; // what the stream can resume from
const deadline = 1500; // ms until a silent device's command expires

/**
 * Starts the mock. Options: port (0 picks one), token, login, password, speech (false: 503), setUp (true: no operator,
 * organisation and home yet), home. Resolves to {url, token, home, post, presence, cut, expire, close}.
 */
export async function startMock(options = {}) {
  const mock = new Mock(options);
  const server = createServer((req, res) => mock.serve(req, res));
  await new Promise((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  mock.url = `http://127.0.0.1:${server.address().port}`;
  mock.close = () =>
    new Promise((resolve) => {
      mock.cut();
      server.close(resolve);
      server.closeAllConnections();
    });
  return mock;
}

class Mock {
  constructor({
    token = 'lw_demo',
    login = 'xiaoman',
    password = 'glass-and-flame',
    speech = true,
    setUp = false,
    home,
  } = {}) {
    Object.assign(this, { token, login, password, speech, setUp });
    this.actor = setUp ? operator : actor;
    this.home = home ?? (setUp ? undefined : demoHome());
    this.sessions = new Set();
    this.streams = new Set();
    this.views = []; // how each live view was asked for
    this.refusal = undefined; // of every live view: status, code, detail
    this.full = false; // no more speakers are taken
    this.events = [];
    this.position = 100;
    this.next = 1;
  }

  async serve(req, res) {
    const url = new URL(req.url, 'http://mock');
    try {
      if (url.pathname.startsWith('/api/')) await this.api(req, res, url);
      else this.file(res, url.pathname);
    } catch (error) {
      problem(res, 500, 'internal', String(error));
    }
  }

  file(res, path) {
    let file = normalize(join(dist, path));
    if (!file.startsWith(dist) || !existsSync(file) || statSync(file).isDirectory()) file = join(dist, 'index.html');
    if (!existsSync(file)) return problem(res, 404, 'not_found', 'dist/ is missing: npm run build');
    res.writeHead(200, {
      'Content-Type': types[extname(file)] ?? 'application/octet-stream',
      'Content-Security-Policy': policy,
    });
    createReadStream(file).pipe(res);
  }

  async api(req, res, url) {
    const route = `${req.method} ${url.pathname.slice('/api/v1'.length)}`;
    const body = req.method === 'GET' || req.method === 'DELETE' ? {} : JSON.parse((await read(req)) || '{}');
    if (route === 'GET /setup') return json(res, 200, { needed: this.setUp });
    if (route === 'POST /setup') return this.postSetup(res, body);
    if (route === 'POST /session') return this.postSession(res, body);
    const session = /lw_session=([\w-]+)/.exec(req.headers.cookie ?? '')?.[1];
    const known = this.sessions.has(session) || req.headers.authorization === `Bearer ${this.token}`;
    if (!known) return problem(res, 401, 'unauthenticated', '');
    if (route === 'GET /session') return json(res, 200, { actor: this.actor });
    if (route === 'DELETE /session') {
      this.sessions.delete(session);
      return res.writeHead(204, { 'Set-Cookie': 'lw_session=; Path=/; Max-Age=0' }).end();
    }
    if (route === 'POST /organisations') return this.postOrganisation(res, body);
    if (route === 'PUT /session/organisation') return this.putOrganisation(res, body);
    if (/ \/homes/.test(route) && !this.actor.acts.includes('home.read'))
      return problem(res, 403, 'forbidden', 'home.read is not allowed; sign in with a role that may.');
    if (route === 'POST /homes') return this.postHome(res, body);
    if (route === 'GET /homes')
      return json(res, 200, { items: this.home ? [{ id: this.home.id, names: this.home.names }] : [] });
    if (route === 'POST /speech') return this.postSpeech(res);
    const fault = /^PUT \/virtual-devices\/([^/]+)\/fault$/.exec(route)?.[1];
    if (fault !== undefined) return this.putFault(res, fault, body);
    const [, id, rest = ''] = /^\w+ \/homes\/([^/]+)(\/\w+)?$/.exec(route) ?? [];
    if (id !== this.home?.id) return problem(res, 404, 'not_found', 'There is no such home, or you may not see it.');
    if (rest === '') return json(res, 200, this.home);
    if (rest === '/live') return this.live(req, res, url.searchParams);
    return this.postSentence(res, body);
  }

  postSetup(res, body) {
    if (!this.setUp) return problem(res, 409, 'conflict', 'There is an operator already.');
    if (body.code !== 'one-time') return problem(res, 403, 'forbidden', 'This code is wrong or has ended.');
    const { login, password } = body;
    if ([...login].length < 3 || [...password].length < 10) return problem(res, 422, 'invalid', 'too short');
    if (body.email === '') return problem(res, 422, 'invalid', '/email is empty, want an address');
    Object.assign(this, { setUp: false, login, password, actor: { ...this.actor, login } });
    this.postSession(res, body);
  }

  postSession(res, body) {
    const good = body.token ? body.token === this.token : body.login === this.login && body.password === this.password;
    if (!good) return problem(res, 401, 'unauthenticated', 'Login or password is wrong.');
    const id = `s${this.next++}-${process.pid}`;
    this.sessions.add(id);
    json(res, 200, { actor: this.actor }, { 'Set-Cookie': `lw_session=${id}; Path=/; HttpOnly; SameSite=Strict` });
  }

  postOrganisation(res, { names, kinds }) {
    if (!this.actor.acts.includes('organisation.manage')) return problem(res, 403, 'forbidden', '');
    if (kinds?.[0] !== 'terminal_maker') return problem(res, 422, 'invalid', `no kind "${kinds?.[0]}"`);
    this.organisation = { id: 'org-first', names, kinds, created_at: new Date().toISOString() };
    json(res, 201, this.organisation);
  }

  putOrganisation(res, { organisation }) {
    if (organisation !== this.organisation?.id) return problem(res, 404, 'not_found', 'There is no such organisation.');
    const organisation_name = this.organisation.names;
    const roles = [...this.actor.roles, 'owner'];
    this.actor = { ...this.actor, organisation, organisation_name, roles, acts: [...operator.acts, ...actor.acts] };
    json(res, 200, { actor: this.actor });
  }

  postHome(res, { names }) {
    const created_at = new Date().toISOString();
    this.home = { id: 'home-first', names, created_at, version: 1, rooms: [], devices: [] };
    json(res, 201, { id: this.home.id, names, created_at });
  }

  postSpeech(res) {
    if (!this.speech) return problem(res, 503, 'unavailable', 'espeak-ng is not installed.');
    const wav = tone(0.25);
    res.writeHead(200, { 'Content-Type': 'audio/wav', 'Content-Length': wav.length }).end(wav);
  }

  putFault(res, id, { fault }) {
    const device = this.home.devices.find((d) => d.id === id && d.virtual);
    if (!device) return problem(res, 404, 'not_found', 'There is no such virtual device.');
    if (!['none', 'silent', 'slow', 'wrong'].includes(fault))
      return problem(res, 422, 'invalid', `no fault "${fault}"`);
    device.fault = fault;
    res.writeHead(204).end();
  }

  async postSentence(res, { text = '', room }) {
    if (text.trim() === '') return problem(res, 422, 'invalid', '/text is empty, want a sentence');
    const start = performance.now();
    const since = () => Math.round((performance.now() - start) * 1000);
    const reading = understand(this.home, text, room);
    const act = reading.outcome === 'act' && reading.op !== 'query';
    const [understood, resolved, sent] = [320, 90, act ? 1400 : 0];
    const targets = [];
    if (act) await Promise.all(reading.devices.map(async (d) => targets.push(await this.carryOut(d, reading))));
    else targets.push(...reading.devices.map((d) => ({ device: d.id, room: d.room, name: '', outcome: 'done' })));
    const failed = targets.find((t) => t.outcome === 'failed');
    const confirmed = act ? Math.max(since() - understood - resolved - sent, 2300) : 0;
    const stages = [
      ['understand', understood, 'rule set, one reading'],
      ['resolve', resolved, `${reading.devices.length} of ${this.home.devices.length}`],
      ...(act
        ? [
            ['send', sent, `on disk · cmd ${targets[0].command.slice(-4)}`],
            ['confirm', confirmed, failed?.reason ?? 'loopback'],
          ]
        : []),
      ['answer', 40, reading.lang],
    ];
    let at = 0;
    const zh = reading.lang === 'zh-CN';
    json(res, 200, {
      id: `sentence-${this.next++}`,
      text,
      lang: reading.lang,
      outcome: failed ? 'failed' : reading.outcome,
      reply: failed ? (zh ? '没有做成：设备没有确认。' : 'Not done: the device did not confirm.') : reading.reply,
      actions: reading.op
        ? [{ op: reading.op, prop: reading.prop, value: reading.value, direction: reading.direction, targets }]
        : [],
      candidates: (reading.candidates ?? []).map((device) => ({ device, name: '' })),
      stages: stages.map(([name, length, detail]) => ({
        name,
        start_us: (at += length) - length,
        length_us: length,
        detail,
      })),
      total_us: at,
    });
  }

  /** Sends one command to one thing and waits for it, as the platform would. */
  async carryOut(device, { prop, value }) {
    const command = `cmd-${(this.next++).toString(36).padStart(4, '0')}`;
    const target = { device: device.id, room: device.room, name: device.names.en, command };
    if (!device.online) return { ...target, outcome: 'failed', reason: 'offline' };
    const params = { [prop]: value };
    const at = new Date().toISOString();
    device.desired = { ...device.desired, [prop]: { value, time: at } };
    this.message(
      device,
      'down',
      'service/property/set',
      { id: command, version: '1.0', params, method: 'thing.service.property.set' },
      'sent',
      1400,
    );
    if (device.fault === 'silent') {
      await pause(deadline); // and no event tells the end: a stream may lose one, so pages must not depend on it
      return { ...target, outcome: 'failed', reason: 'silent' };
    }
    await pause(device.fault === 'slow' ? 800 : 3);
    const done =
      device.fault === 'wrong' ? { [prop]: typeof value === 'number' && value > 1 ? value - 1 : 1 - value } : params;
    if (prop !== 'powerstate' && device.state.powerstate) done.powerstate = 1;
    this.message(device, 'up', 'service/property/set_reply', { id: command, code: 200, data: {} }, 'stored', 2600);
    this.message(
      device,
      'up',
      'event/property/post',
      { id: String(this.next), version: '1.0', params: done, method: 'thing.event.property.post' },
      'stored',
      1800,
    );
    this.report(device, done);
    const [kind, took_us] = ['property_set', Math.round((Date.now() - Date.parse(at)) * 1000)];
    const state = device.fault === 'wrong' ? 'failed' : 'succeeded';
    this.post('command', {
      id: command,
      device: device.id,
      kind,
      state,
      params,
      at: new Date().toISOString(),
      took_us,
    });
    return device.fault === 'wrong'
      ? { ...target, outcome: 'failed', reason: 'wrong' }
      : { ...target, outcome: 'done' };
  }

  /** A thing reports values. */
  report(device, values) {
    const time = new Date().toISOString();
    const properties = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value, time }]));
    device.state = { ...device.state, ...properties };
    this.post('state', { device: device.id, properties });
  }

  message(device, direction, topic, payload, result, took_us) {
    const full = `/sys/${device.product_key}/${device.device_name}/thing/${topic}`;
    const at = new Date().toISOString();
    this.post('message', {
      pos: this.position + 1,
      at,
      direction,
      device: device.id,
      topic: full,
      payload,
      result,
      took_us,
    });
  }

  presence(id, online, reason = '') {
    const device = this.home.devices.find((d) => d.id === id);
    device.online = online;
    this.post('presence', { device: id, online, at: new Date().toISOString(), reason });
  }

  live(req, res, query) {
    if (this.refusal) return problem(res, ...this.refusal);
    const speaker = query.has('speaker');
    if (speaker && this.full)
      return problem(res, 429, 'limit', 'number of speakers that listen is 64, the limit is 64 in a home');
    const room = query.get('room');
    if (speaker && room && !this.home.rooms.some((r) => r.id === room))
      return problem(res, 404, 'not_found', `there is no room ${room}`);
    this.views.push(Object.fromEntries(query));
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    res.write('retry: 300\n\n');
    const last = Number(req.headers['last-event-id']);
    if (req.headers['last-event-id'] !== undefined) {
      const missed = this.events.filter((e) => e.pos > last);
      if (missed.length > 0 && missed[0].pos !== last + 1) res.write('event: gap\ndata: {}\n\n');
      for (const e of missed) res.write(e.text);
    }
    this.streams.add(res);
    res.on('close', () => this.streams.delete(res));
  }

  /** Puts one event on the stream. */
  post(kind, data) {
    const pos = ++this.position;
    const text = `id: ${pos}\nevent: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
    this.events.push({ pos, text });
    if (this.events.length > keepEvents) this.events.shift();
    for (const stream of this.streams) stream.write(text);
  }

  /** Breaks every live stream; browsers come back. With `forget`, what they missed is gone: a gap. */
  cut(forget = false) {
    for (const stream of this.streams) stream.destroy();
    if (forget) {
      this.events = [];
      this.position += 10;
    }
  }

  /** Removes a room; its things stand nowhere then. */
  removeRoom(id) {
    this.home.rooms = this.home.rooms.filter((r) => r.id !== id);
    for (const d of this.home.devices) if (d.room === id) d.room = '';
  }

  /** Ends every session. */
  expire() {
    this.sessions.clear();
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function read(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  return Buffer.concat(parts).toString();
}

function json(res, status, body, headers = {}) {
  res
    .writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers })
    .end(JSON.stringify(body));
}

function problem(res, status, code, detail) {
  const body = { type: 'about:blank', title: code, status, code, detail, request: `req-${Date.now().toString(36)}` };
  res.writeHead(status, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify(body));
}

/** A short soft tone as a WAV, 16 kHz mono. */
function tone(seconds) {
  const rate = 16000;
  const n = Math.round(rate * seconds);
  const wav = Buffer.alloc(44 + n * 2);
  wav.write('RIFF');
  wav.writeUInt32LE(36 + n * 2, 4);
  wav.write('WAVEfmt ', 8);
  [16, 0x10001, rate, rate * 2, 0x100002].forEach((x, i) => wav.writeUInt32LE(x, 16 + i * 4));
  wav.write('data', 36);
  wav.writeUInt32LE(n * 2, 40);
  for (let i = 0; i < n; i++) {
    const fade = Math.min(i, n - i, 800) / 800;
    wav.writeInt16LE(Math.round(Math.sin((i / rate) * 2 * Math.PI * 520) * 6000 * fade), 44 + i * 2);
  }
  return wav;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const flag = (name) => process.argv.includes(name);
  const port = Number(process.argv[process.argv.indexOf('--port') + 1]) || 8099;
  const mock = await startMock({ port, speech: !flag('--no-speech'), setUp: flag('--set-up') });
  console.log(`${mock.url}/#token=${mock.token}`);
}
