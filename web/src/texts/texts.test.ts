// @vitest-environment node
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import en from './en';
import { langFor } from './texts';
import zh from './zh-CN';

const root = join(import.meta.dirname, '..');
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((f) => /\.tsx?$/.test(f) && !/\.test\.tsx?$|\.d\.ts$|^texts[\\/](en|zh-CN)\.ts$/.test(f))
  .map((f) => ({ file: f, text: readFileSync(join(root, f), 'utf8') }));

const flat = (catalogue: object) =>
  Object.entries(catalogue).flatMap(([section, entries]) =>
    Object.entries(entries as object).map(([key, value]) => [`${section}.${key}`, value as unknown] as const),
  );

describe('catalogues', () => {
  test('have the same keys, of the same kind', () => {
    const kinds = (c: object) => Object.fromEntries(flat(c).map(([key, value]) => [key, typeof value]));
    expect(kinds(en)).toEqual(kinds(zh));
  });

  test('have no key that nobody uses', () => {
    const all = sources.map((s) => s.text).join('\n');
    const unused = flat(zh)
      .map(([key]) => key)
      .filter((key) => {
        const [section = '', name = ''] = key.split('.');
        if (
          new RegExp(`\\bt\\.${section}\\[|entry\\(t\\.${section},|resultText\\(m\\.result, t\\.${section}\\)`).test(
            all,
          )
        )
          return false; // looked up by a word of the server
        if (section === 'chips') return !new RegExp(`\\bt\\.${name}\\b`).test(all); // chipsFor is given the section
        return !new RegExp(`\\bt\\.${section}\\.${name}\\b`).test(all);
      });
    expect(unused).toEqual([]);
  });

  test('keep to the rules of their language', () => {
    const text = (value: unknown) =>
      typeof value === 'string' ? value : typeof value === 'function' ? String(value) : '';
    for (const [key, value] of flat(zh)) {
      expect(text(value), key).not.toMatch(/[!！]|你|[\u4e00-\u9fff][,;?]|[\u4e00-\u9fff]"/);
    }
    for (const [key, value] of flat(en)) {
      if (!/^app\.language/.test(key)) expect(text(value), key).not.toMatch(/!(?!=)|[\u4e00-\u9fff]|\d%/);
    }
  });
});

test('no text stands outside the catalogues', () => {
  const speaking = new Set(['title', 'alt', 'placeholder', 'aria-label', 'label']);
  const found: string[] = [];
  const word = /[A-Za-z\u4e00-\u9fff]{2}/;
  for (const { file, text } of sources.filter((s) => s.file.endsWith('.tsx'))) {
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
    const visit = (node: ts.Node, quiet: boolean) => {
      const opening = ts.isJsxElement(node) ? node.openingElement.getText() : '';
      const still = quiet || /^<kbd|lang="en"/.test(opening); // names of keys, and our own name
      if (ts.isJsxText(node) && !still && word.test(node.text)) found.push(`${file}: ${node.text.trim()}`);
      if (
        ts.isJsxAttribute(node) &&
        speaking.has(node.name.getText()) &&
        node.initializer &&
        ts.isStringLiteral(node.initializer)
      ) {
        if (node.initializer.text !== 'Lampworks') found.push(`${file}: ${node.getText()}`);
      }
      ts.forEachChild(node, (child) => visit(child, still));
    };
    visit(source, false);
  }
  expect(found).toEqual([]);
});

test.each([
  [['zh-TW', 'en'], 'zh-CN'],
  [['en-GB'], 'en'],
  [['fr', 'zh'], 'zh-CN'],
  [['fr'], 'en'],
  [[], 'en'],
])('language for %j', (wishes, want) => {
  expect(langFor(wishes)).toBe(want);
});
