// @vitest-environment node
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startMock, type Mock } from '../../dev/mock.mjs';
import { createAPI, type API } from '../api/client';
import type { Home } from '../api/model';
import { Problem } from '../api/problem';
import { loadTexts, type Catalogue } from '../texts/texts';
import { chipsFor } from './chips';
import { homeSentence, stageText, stateLine, unmet } from './describe';

let mock: Mock;
let api: API;
let zh: Catalogue;
let en: Catalogue;
let home: Home;
let refused = 0;

/** The client as the browser has it, with the session's cookie, which Node's fetch does not keep. */
beforeAll(async () => {
  mock = await startMock();
  const plain = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const request = new Request(input, init);
    asked = request.headers.get('Accept-Language') ?? '';
    if (signedIn) request.headers.set('Authorization', 'Bearer lw_demo');
    return plain(request);
  };
  api = createAPI(
    mock.url,
    () => refused++,
    () => 'zh-CN',
  );
  [zh, en] = [await loadTexts('zh-CN'), await loadTexts('en')];
});
afterAll(() => mock.close());
let signedIn = false;
let asked = ''; // Accept-Language of the last request

test('without a session: a problem, and the door is told', async () => {
  const error = await api.home('home-demo', new AbortController().signal).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(Problem);
  expect([(error as Problem).status, (error as Problem).code, refused]).toEqual([401, 'unauthenticated', 1]);
  expect(asked).toBe('zh-CN');
  await expect(api.session()).rejects.toBeInstanceOf(Problem);
  expect(refused).toBe(1); // asking who is signed in is no refusal
});

test('an unreachable server is a problem of its own', async () => {
  const nobody = createAPI('http://127.0.0.1:9');
  await expect(nobody.session()).rejects.toMatchObject({ status: 0, unreachable: true });
});

test('things in words', async () => {
  signedIn = true;
  home = await api.home('home-demo', new AbortController().signal);
  expect(home.devices.map((d) => stateLine(d, 'zh-CN', zh))).toEqual([
    '关 · 设在 80%',
    '开了 70%',
    '制冷 · 25°C',
    '关 · 设在 40%',
    '关着',
    '开 · 100%',
    '关 · 24°C',
  ]);
  expect(stateLine(home.devices[2]!, 'en', en)).toBe('cool · 25\u00a0°C');
  expect(homeSentence(home, 'zh-CN', zh)).toBe('7 台设备都在线；厨房的灯亮着。');
  expect(homeSentence(home, 'en', en)).toBe('All 7 devices are online; the kitchen lamp is on.');
});

test('the road in words', async () => {
  const answer = await api.say('home-demo', { text: '把客厅的灯调到百分之五十' });
  expect(answer.outcome).toBe('act');
  expect(answer.stages.map((s) => stageText(s.name, answer, home, 'zh-CN', zh).text)).toEqual([
    '亮度 设为 50%',
    '客厅 / 灯',
    'brightness=50',
    '已执行，状态一致',
    '“好的，调到百分之五十了。”',
  ]);
  home = await api.home('home-demo', new AbortController().signal);
  expect(unmet(home.devices[0]!, 'zh-CN', zh)).toBe('');
});

test('a silent device is told as such, and its wish stays open', async () => {
  await api.setFault('lr-lamp', 'silent');
  const answer = await api.say('home-demo', { text: '关掉客厅的灯' });
  expect(answer.outcome).toBe('failed');
  expect(stageText('confirm', answer, home, 'en', en).text).toBe('The device kept silent; given up at the deadline');
  home = await api.home('home-demo', new AbortController().signal);
  expect(unmet(home.devices[0]!, 'zh-CN', zh)).toBe('开关\u00a0关');
});

test('chips fit the home and its state', () => {
  expect(chipsFor(home, 'zh-CN', zh.chips)).toEqual([
    '关掉客厅的灯',
    '把客厅的灯调到百分之五十',
    '客厅的灯暖一点',
    '把客厅的窗帘拉开一半',
  ]);
  expect(chipsFor({ ...home, devices: [] }, 'en', en.chips)).toEqual([]);
});

test('speech is sound, or says that there is none', async () => {
  expect((await api.speech('好的', 'zh-CN')).size).toBeGreaterThan(44);
  mock.speech = false;
  await expect(api.speech('好的', 'zh-CN')).rejects.toMatchObject({ status: 503 });
});
