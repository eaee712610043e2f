// Pictures of the bench: node e2e/pictures.mjs OUT [name…]. Uses the mock unless BASE_URL and TOKEN are given.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startMock } from '../dev/mock.mjs';
import { launch } from './chromium.mjs';

const [out = 'pictures', ...only] = process.argv.slice(2);
const sentences = {
  'zh-CN': ['卧室的灯亮着吗', '把客厅的灯调到百分之五十'],
  en: ['Is the bedroom lamp on', 'Set the living room lamp to 50 percent'],
};
const pictures = [
  { name: 'bench-1440', width: 1440, height: 900, lang: 'zh-CN', theme: 'light' },
  { name: 'bench-1440-dark', width: 1440, height: 900, lang: 'zh-CN', theme: 'dark' },
  { name: 'bench.en-1440', width: 1440, height: 900, lang: 'en', theme: 'light' },
  { name: 'bench.en-1440-dark', width: 1440, height: 900, lang: 'en', theme: 'dark' },
  { name: 'bench-390', width: 390, height: 844, lang: 'zh-CN', theme: 'light', whole: true },
  { name: 'bench.en-390', width: 390, height: 844, lang: 'en', theme: 'light', whole: true },
  { name: 'bench-1440-whole', width: 1440, height: 900, lang: 'zh-CN', theme: 'light', whole: true },
  { name: 'bench-1000', width: 1000, height: 800, lang: 'en', theme: 'light', whole: true },
];

const mock = process.env.BASE_URL ? undefined : await startMock();
const base = process.env.BASE_URL ?? mock.url;
const token = process.env.TOKEN ?? mock?.token;
const browser = await launch();
mkdirSync(out, { recursive: true });
for (const p of pictures.filter((x) => only.length === 0 || only.includes(x.name))) {
  const context = await browser.newContext({
    viewport: { width: p.width, height: p.height },
    timezoneId: 'Asia/Shanghai',
  });
  const page = await context.newPage();
  await page.addInitScript(
    ([lang, theme]) => {
      localStorage.setItem('lampworks.lang', lang);
      localStorage.setItem('lampworks.theme', theme);
      localStorage.setItem('lampworks.sound', 'off');
    },
    [p.lang, p.theme],
  );
  await page.goto(`${base}/#token=${token}`);
  const field = page.locator('input[name=sentence]');
  for (const sentence of sentences[p.lang]) {
    await field.fill(sentence);
    const answers = page.locator('[data-outcome]');
    const before = await answers.count();
    await field.press('Enter');
    await answers.nth(before).waitFor();
  }
  await page.waitForTimeout(1800); // light and curtain have come to rest
  await page.screenshot({ path: join(out, `${p.name}.png`), fullPage: p.whole ?? false });
  await context.close();
}
await browser.close();
await mock?.close();
