import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeSettings, type SettingDescription } from './schema.js';

const file = new URL('../../docs/config.md', import.meta.url);
const [begin, end] = ['<!-- settings: begin -->\n', '<!-- settings: end -->\n'];

/** The table of the documentation. */
function table(settings: readonly SettingDescription[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  const flags = (flag: string): string => flag.replace(/--[\w-]+/g, '`$&`') || '–';
  return [
    row(['key', 'meaning', 'values', 'default', 'flag']),
    row(['---', '---', '---', '---', '---']),
    ...settings
      .filter(({ usual }) => usual !== '')
      .map(({ key, says, values, usual, flag }) => row([`\`${key}\``, says, values, usual, flags(flag)])),
  ].join('');
}

it('docs/config.md has the settings of the schema (UPDATE_DOCS=1 writes them)', () => {
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  expect(to).toBeGreaterThanOrEqual(from);
  const expected = table(describeSettings());
  if (process.env.UPDATE_DOCS) writeFileSync(file, text.slice(0, from) + expected + text.slice(to));
  else expect(text.slice(from, to)).toBe(expected);
});
