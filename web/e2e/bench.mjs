// The bench in a real Chromium, from the token in the address to the lamp at 50 %.
//   BASE_URL=http://127.0.0.1:8080 TOKEN=lw_… node e2e/bench.mjs     against a running `lampworks demo`
//   node e2e/bench.mjs                                             against the mock and dist/
// Exits 0 when every check held, 1 when one did not, 3 when there is no Chromium.

import { brotliCompressSync } from 'node:zlib';
import { AxeBuilder } from '@axe-core/playwright';
import { startMock } from '../dev/mock.mjs';
import { launch } from './chromium.mjs';

const mock = process.env.BASE_URL ? undefined : await startMock();
const base = (process.env.BASE_URL ?? mock.url).replace(/\/$/, '');
const token = process.env.TOKEN ?? mock?.token ?? '';
const budget = 125_000; // bytes of compressed script until the page can be used
const patience = 20_000; // ms for anything to appear: a silent device ends at its deadline only

let passed = 0;
const failures = [];
const complaints = []; // what the browser complained of, all along
let quiet = false; // complaints about the network are expected while the network is off

function check(what, held, got) {
  if (held) passed++;
  else failures.push(got === undefined ? what : `${what}: got ${JSON.stringify(got)}`);
  console.log(`${held ? 'ok  ' : 'FAIL'} ${what}${held || got === undefined ? '' : `: got ${JSON.stringify(got)}`}`);
}

const browser = await launch();

async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN', ...options });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: base });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  page.on('console', (m) => {
    if (m.type() !== 'error' && !/Content Security Policy|Trusted/.test(m.text())) return;
    if (quiet || /\/api\/v1\/speech$/.test(m.location().url)) return; // 503 without a synthesiser is an answer
    complaints.push(`${m.text()} (${m.location().url})`);
  });
  page.on('pageerror', (e) => complaints.push(`exception: ${e.message}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) =>
      console.error(`Content Security Policy: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`),
    );
  });
  return { context, page };
}

/** Base UI's focus guards hand the focus on at once, so that nobody ever stands on them; axe cannot see that. */
const guards = '[data-base-ui-focus-guard]';

async function accessible(page, where, without = []) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .exclude(guards)
    .disableRules(without)
    .analyze();
  const told = violations.map((v) => `${v.id} ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
  check(`axe: nothing to say about ${where}`, violations.length === 0, told);
}

async function fits(page, width) {
  await page.setViewportSize({ width, height: 844 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  check(`${width} px: no sideways scroll`, wide <= width, wide);
}

/** Says a sentence and waits for its answer; the outcome. */
async function say(page, sentence) {
  const answers = page.locator('[data-outcome]');
  const before = await answers.count();
  await page.fill('input[name=sentence]', sentence);
  await page.press('input[name=sentence]', 'Enter');
  await answers.nth(before).waitFor();
  return answers.nth(before).getAttribute('data-outcome');
}

const lampIn = (page, room) =>
  page
    .locator('.room', { has: page.getByRole('heading', { name: room, exact: true }) })
    .locator('.is-lamp')
    .first();

/** Waits until `text` stands in `locator`; whether it came in time. */
async function shows(locator, text) {
  try {
    await locator.filter({ hasText: text }).first().waitFor({ timeout: 5000 });
    return true;
  } catch {
    return false;
  }
}

/** Whether `ask` becomes true within five seconds. */
async function becomes(ask) {
  for (let i = 0; i < 50; i++) {
    if (await ask()) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

async function theRoad() {
  const { context, page } = await open();
  const scripts = new Map();
  page.on('response', (r) => {
    if (r.request().resourceType() === 'script')
      scripts.set(
        r.url(),
        r.body().catch(() => Buffer.alloc(0)),
      );
  });
  await page.goto(`${base}/#token=${encodeURIComponent(token)}`);
  await page.locator('.scene').waitFor();
  check('the token opens the bench and leaves the address', new URL(page.url()).pathname === '/bench', page.url());
  await page.locator('[data-link=open]').waitFor();
  const bodies = await Promise.all(scripts.values());
  const size = bodies.reduce((sum, body) => sum + brotliCompressSync(body).length, 0);
  check(`compressed script is ${(size / 1000).toFixed(1)} kB, at most ${budget / 1000}`, size > 0 && size <= budget);
  await accessible(page, 'the bench at rest');

  const outcome = await say(page, '把客厅的灯调到百分之五十');
  check('把客厅的灯调到百分之五十 is carried out', outcome === 'act', outcome);
  check('the living-room lamp shows 50 %', await shows(lampIn(page, '客厅').locator('.thing-state'), '50%'));
  check('the scene shows 50 %', await shows(page.locator('.hud-foot .pill'), '50%'));
  const stages = await page.locator('.stages li').evaluateAll((all) => all.map((li) => li.getAttribute('data-stage')));
  const wanted = ['understand', 'resolve', 'send', 'confirm', 'answer'];
  check(
    'all stages are shown',
    wanted.every((s) => stages.includes(s)),
    stages,
  );
  const times = await page.locator('.stages b').allTextContents();
  check('each stage has a time', times.length > 0 && times.every((x) => /\d\s*(ms|s)$/.test(x)), times);
  check('the total has a time', / *\d.*(ms|s)$/.test((await page.locator('.road-total').textContent()) ?? ''));
  const twin = await page.locator('.time-bar').getAttribute('aria-label');
  check('the bar has a text twin', /ms/.test(twin ?? ''), twin);
  check('the log marks the messages of the sentence', await shows(page.locator('.row-mine'), 'brightness'));
  await say(page, '打开客厅的灯');
  const glows = async () => (await page.locator('.art.is-lit').count()) === 1;
  check('it glows when it is on, and the cat is awake', await becomes(glows));
  check('it is as bright as was said', await shows(lampIn(page, '客厅').locator('.thing-state'), '50%'));
  await say(page, '把客厅的灯调到百分之五十');
  await keyboard(page);
  await copies(page);
  await otherThings(page);
  await misbehaving(page);
  await context.close();
}

async function keyboard(page) {
  const turns = page.locator('[data-outcome]');
  const before = await turns.count();
  await page.press('input[name=sentence]', 'r');
  check('r is a letter while typing', (await page.inputValue('input[name=sentence]')) === 'r');
  await page.press('input[name=sentence]', 'Escape');
  await page.press('input[name=sentence]', 'Escape');
  await page.keyboard.press('r');
  check('r says the last sentence again', await becomes(async () => (await turns.count()) === before + 1));
  await page.keyboard.press('p');
  check('p pauses the log', await shows(page.locator('.log-acts [aria-pressed=true]'), '继续'));
  await page.keyboard.press('p');
  await page.keyboard.press('/');
  await page.keyboard.type('set_reply');
  const rows = page.locator('.table tbody tr');
  const only = async () => (await rows.count()) > 0 && (await rows.allTextContents()).every((x) => /set_reply/.test(x));
  check('/ filters the log', await becomes(only), await rows.allTextContents());
  check('the filter stands in the address', new URL(page.url()).searchParams.get('q') === 'set_reply', page.url());
  await page.keyboard.press('Escape');
  check('Esc clears the filter', (await page.inputValue('input[name=filter]')) === '');
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await page.locator('dialog[open]').waitFor();
  await accessible(page, 'the list of shortcuts');
  await page.keyboard.press('Escape');
  check('Esc closes the dialog', await becomes(async () => (await page.locator('dialog[open]').count()) === 0));
}

async function copies(page) {
  await page.locator('.road-acts').getByText('curl', { exact: true }).click();
  const curl = await page.evaluate(() => navigator.clipboard.readText());
  check('the sentence can be copied as curl', /^curl .*\/sentences[\s\S]*百分之五十/.test(curl), curl);
  check('the copy bears no token', !token || !curl.includes(token));
}

async function otherThings(page) {
  const curtain = page.locator('[data-category=curtain]').first();
  const outcome = await say(page, '把客厅的窗帘拉开一半');
  check('the curtain opens halfway', outcome === 'act' && (await shows(curtain, '50%')), outcome);
  await lampIn(page, '卧室').locator('.thing-show').click();
  check('another lamp comes into the scene', await shows(page.locator('.hud-top .pill'), '卧室'));
  check('the lamp in the scene stands in the address', new URL(page.url()).searchParams.has('lamp'), page.url());
  await say(page, '打开客厅的灯');
  check('the scene follows the sentence', await shows(page.locator('.hud-top .pill'), '客厅'));
}

/** The person's own newest bubble stands in the talk from top to bottom. */
async function ownBubble(page, when) {
  const cut = () =>
    page.evaluate(() => {
      const talk = document.querySelector('.talk').getBoundingClientRect();
      const own = [...document.querySelectorAll('.bubble-you')].at(-1).getBoundingClientRect();
      return Math.max(talk.top + 13 - own.top, own.bottom - talk.bottom, 0);
    });
  check(`one sees what one said, ${when}`, await becomes(async () => (await cut()) < 1), await cut());
}

async function placeholder(page, when) {
  const over = await page.evaluate(() => {
    const field = document.querySelector('input[name=filter]');
    const brush = document.createElement('canvas').getContext('2d');
    brush.font = getComputedStyle(field).font;
    return brush.measureText(field.placeholder).width - field.clientWidth;
  });
  check(`the filter's placeholder is whole, ${when}`, over <= 0, over);
}

async function misbehaving(page) {
  const menu = page.locator('.hud-top .pill-button');
  const pick = async (name) => {
    await menu.click();
    await page.getByRole('menuitemradio', { name }).click();
    await page.getByRole('menu').waitFor({ state: 'detached' });
  };
  await menu.click();
  await page.getByRole('menu').waitFor();
  await accessible(page, 'the open menu', ['region']); // a menu stands beside the landmarks, not in one
  await page.keyboard.press('Escape');
  await page.getByRole('menu').waitFor({ state: 'detached' });
  check('Esc gives the focus back', await menu.evaluate((b) => b === document.activeElement));
  await pick(/不出声/);
  check('a silent device fails the sentence', (await say(page, '关掉客厅的灯')) === 'failed');
  const alert = page.getByRole('alert').filter({ hasText: /\S/ });
  check('the failure is told at once', (await alert.count()) > 0);
  check('the scene says what was desired in vain', await shows(page.locator('.hud-foot .pill-differ'), '关'));
  check('and not that all agree', (await page.locator('.pill-agree').count()) === 0);
  await ownBubble(page, 'after a failure');
  await accessible(page, 'a failed sentence');
  await pick(/好好的/);
  check('and then it behaves again', (await say(page, '打开客厅的灯')) === 'act');
}

async function looks() {
  const { context, page } = await open();
  await page.goto(`${base}/#token=${encodeURIComponent(token)}`);
  await page.locator('.scene').waitFor();
  await page.getByRole('button', { name: 'Switch to English' }).click();
  check('English by one click', await shows(page.getByRole('heading', { level: 1 }), 'Bench'));
  check('the page says that it is English', (await page.getAttribute('html', 'lang')) === 'en');
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const before = await ground();
  const theme = async (name) => {
    await page.getByRole('button', { name: 'Light or dark' }).click();
    await page.getByRole('menuitemradio', { name, exact: true }).click();
    await page.getByRole('menu').waitFor({ state: 'detached' });
  };
  await theme('Dark');
  check('dark by choice', (await ground()) !== before && (await page.getAttribute('html', 'data-theme')) === 'dark');
  const outcome = await say(page, 'Turn on the living room lamp');
  check('an English sentence is carried out', outcome === 'act', outcome);
  await page.waitForTimeout(600); // colours have come to rest
  await accessible(page, 'the bench in English, dark');
  await page.reload();
  await page.locator('.scene').waitFor();
  check(
    'language and theme stay',
    (await page.getAttribute('html', 'data-theme')) === 'dark' && (await shows(page.locator('h1'), 'Bench')),
  );
  await theme('Light');
  for (const width of [1180, 860, 390, 320]) await fits(page, width);
  await page.setViewportSize({ width: 390, height: 844 });
  await say(page, 'Turn off the living room lamp');
  await ownBubble(page, 'at 390 px');
  await placeholder(page, 'in English');
  await page.waitForTimeout(600);
  await accessible(page, 'the bench at 390 px');
  await offline(context, page);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole('button', { name: /^Account/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.waitForURL(/signin/);
  await page.locator('input[name=login]').waitFor();
  await accessible(page, 'the sign-in page');
  await page.locator('button[type=submit]').click();
  check('empty fields are told', (await page.locator('[aria-invalid=true]').count()) === 2);
  await context.close();
}

async function offline(context, page) {
  quiet = true;
  await context.setOffline(true);
  check('being offline is told', await becomes(async () => (await page.locator('.strip').count()) === 1));
  await page.fill('input[name=sentence]', 'Turn on the living room lamp');
  await page.press('input[name=sentence]', 'Enter');
  check('a sentence waits', (await page.inputValue('input[name=sentence]')) !== '');
  await context.setOffline(false);
  check('the strip goes', await becomes(async () => (await page.locator('.strip').count()) === 0));
  await page.locator('[data-link=open]').waitFor();
  const answers = page.locator('[data-outcome]');
  const before = await answers.count();
  await page.press('input[name=sentence]', 'Enter');
  check('and is said once connected', await becomes(async () => (await answers.count()) === before + 1));
  quiet = false;
}

async function wrongToken() {
  const { context, page } = await open();
  quiet = true; // a 401 is what this is about
  await page.goto(`${base}/#token=lw_wrong`);
  check('a wrong token leads to the sign-in page, which says why', await shows(page.getByRole('alert'), '令牌'));
  check('the wrong token left the address', !page.url().includes('lw_wrong'), page.url());
  quiet = false;
  await context.close();
}

/** From a server without anything to a home, by the deeds that the pages offer; needs the mock, a demo has it all. */
async function fromNothing() {
  if (!mock) return;
  const empty = await startMock({ setUp: true });
  const { context, page } = await open();
  const h2 = page.locator('main h2');
  const send = () => page.locator('main button[type=submit]').click();
  const alerts = () => page.getByRole('alert').filter({ hasText: /\S/ }).count();
  const wrong = () => page.locator('[aria-invalid=true]').evaluateAll((all) => all.map((x) => x.name).join());
  await page.goto(`${empty.url}/setup#one-time`);
  await page.fill('input[name=login]', 'ab');
  await page.fill('input[name=password]', 'x'.repeat(257));
  await send();
  check(
    'login and password are held against the rules, an e-mail is not asked for',
    (await wrong()) === 'login,password',
  );
  check(
    'the rules are told',
    (await shows(page.locator('form'), '3 到 64')) && (await shows(page.locator('form'), '256')),
  );
  await accessible(page, 'the set-up page');
  await page.fill('input[name=login]', 'xiaoman');
  await page.fill('input[name=password]', 'glass-and-flame');
  await send();
  check('without an organisation the page says so', await shows(h2, '您还没有组织'));
  check('and calmly', (await alerts()) === 0);
  check('what it is for', await shows(page.locator('.state'), '先建一个，才能有产品、设备和家。'));
  await accessible(page, 'the page without an organisation');
  for (const width of [390, 320]) await fits(page, width);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.getByRole('button', { name: 'Switch to English' }).click();
  check('in English too', await shows(h2, 'You have no organisation yet'));
  await send();
  check('a name is needed', (await wrong()) === 'name', await wrong());
  await page.fill('input[name=name]', 'Spark Lighting');
  await send();
  check('then there is no home yet', await shows(h2, 'No home yet'));
  check('the organisation stands in the frame', await shows(page.locator('.org'), 'Spark Lighting'));
  check('with the name in the language of the page', empty.organisation.names.en === 'Spark Lighting');
  check('nothing failed on the way', (await alerts()) === 0);
  await accessible(page, 'the page without a home');
  await page.reload();
  await shows(h2, 'No home yet');
  await send();
  check('then the home has no devices yet', await shows(h2, 'This home has no devices yet'));
  check('and says how they come in', await shows(page.locator('.state code'), 'lampworks device'));
  await accessible(page, 'a home without devices');
  await context.close();
  await empty.close();
}

/** A live view that is refused says why, and comes back; needs the mock, which refuses what one wants. */
async function refusals() {
  if (!mock) return;
  const other = await startMock();
  const { context, page } = await open();
  quiet = true; // refusals are what this is about
  await page.goto(`${other.url}/#token=${other.token}`);
  const link = (state) => page.locator(`[data-link=${state}]`).waitFor();
  await link('open');
  const place = other.views.at(-1).room;
  check('the speaker stands in the first room', place === other.home.rooms[0].id, other.views.at(-1));
  other.removeRoom(place);
  other.cut();
  check('a room that is removed is told', await shows(page.locator('.say-note'), '已被删除'));
  await link('open');
  check(
    'and left',
    other.views.at(-1).room === undefined && other.views.at(-1).speaker !== undefined,
    other.views.at(-1),
  );
  await accessible(page, 'the bench whose room is gone');

  other.full = true;
  other.cut();
  check('no place for a speaker is told', await shows(page.locator('.say-note'), '听不到播报'));
  await link('open');
  check('and the home is watched all the same', other.views.at(-1).speaker === undefined, other.views.at(-1));
  other.full = false;

  other.refusal = [429, 'limit', 'number of live views is 32, the limit is 32'];
  other.cut();
  check('a view too many says why', await shows(page.locator('.strip'), 'the limit is 32'));
  check('a sentence can still be said', (await say(page, '打开卧室的台灯')) === 'act');
  other.refusal = undefined;
  await link('open');
  check('and comes back by itself', (await page.locator('.strip').count()) === 0);

  other.refusal = [403, 'forbidden', 'home.read is not allowed'];
  other.cut();
  await link('refused');
  check('a view that is forbidden says why', await shows(page.locator('.strip'), 'home.read is not allowed'));
  await accessible(page, 'a view that is forbidden');
  other.refusal = undefined;
  await page.locator('.strip').getByRole('button').click();
  await link('open');
  check('and is tried again when one asks for it', (await page.locator('.strip').count()) === 0);

  other.home.id = 'another';
  other.cut();
  check('a home that is gone is told', await shows(page.getByRole('alert'), '没有这个家'));
  quiet = false;
  await context.close();
  await other.close();
}

for (const part of [theRoad, looks, wrongToken, fromNothing, refusals]) {
  try {
    await part();
  } catch (error) {
    check(`${part.name} runs to its end`, false, String(error).split('\n').slice(0, 4).join(' '));
  }
}
check('no violation of the policy, no error in the console', complaints.length === 0, complaints);
await browser.close();
await mock?.close();
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1); // a part that broke off may have left its mock open
