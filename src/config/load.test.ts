import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../errors.js';
import type { Config } from './config.js';
import { findConfig, loadConfig } from './load.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'resnode-config-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(root, name);
  writeFileSync(path, text);
  return path;
}

async function refusal(path: string): Promise<{ message: string; hint: string | undefined }> {
  const error: unknown = await loadConfig(path).then(
    () => new Error('it was not refused'),
    (reason: unknown) => reason,
  );
  if (error instanceof UserError) return { message: error.message.replaceAll(root, ''), hint: error.hint };
  throw error;
}

const typescript = `
import { defineConfig } from 'resnode/config';
import { UserError } from 'resnode';
const epochs: number = 7;
export default defineConfig({
  epochs,
  model: { family: 'resnet', stages: [[32, 1]] },
  transforms: ({ height, width }) => ({ val: [{ name: 'CenterCrop', options: { height, width } }] }),
  preprocess: { readClassLabel: (path: string) => path.split('.').at(-1)! },
});`;

describe('a configuration in TypeScript', () => {
  it('imports the package by its name, and may hold functions', async () => {
    const config: Config = await loadConfig(write('resnode.config.ts', typescript));
    expect(config).toMatchObject({ epochs: 7, model: { family: 'resnet', stages: [[32, 1]] } });
    expect(config.preprocess?.readClassLabel?.('a/001.ak47')).toBe('ak47');
    const { transforms } = config;
    expect(typeof transforms === 'function' && transforms({ height: 8, width: 9 }).val).toEqual([
      { name: 'CenterCrop', options: { height: 8, width: 9 } },
    ]);
  });

  it.each([
    ['lists', '{ val }'],
    ['a function', '() => ({ val })'],
  ])('finds the files of transforms beside it, said by %s', async (_, transforms) => {
    const text = `const lambda = { name: 'Lambda', options: { module: './own/f.ts', export: 'f' } };
      const val = [lambda, { name: 'OneOf', options: { p: 1, transforms: [lambda] } }, { name: 'ToGray' }];
      export default { transforms: ${transforms} };`;
    const path = write('resnode.config.mjs', text);
    const { transforms: found } = await loadConfig(relative('.', path));
    const lists = typeof found === 'function' ? found({ height: 8, width: 9 }) : found;
    const lambda = { name: 'Lambda', options: { module: join(root, 'own', 'f.ts'), export: 'f' } };
    expect(lists?.val).toEqual([
      lambda,
      { name: 'OneOf', options: { p: 1, transforms: [lambda] } },
      expect.objectContaining({ name: 'ToGray' }),
    ]);
  });

  it('whose functions fail is the mistake of a person', async () => {
    const text = `export default {
      transforms: ({ nothing }) => nothing.at,
      preprocess: { readClassLabel: (path) => (path === 'a' ? path.b.c : path === 'b' ? 3 : path) },
    };`;
    const { transforms, preprocess } = await loadConfig(write('c.mjs', text));
    const size = { height: 8, width: 8 };
    expect(() => typeof transforms === 'function' && transforms(size)).toThrow(UserError);
    const label = (path: string) => () => preprocess?.readClassLabel?.(path);
    expect(label('a')).toThrow(/c\.mjs: readClassLabel\("a"\) failed: Cannot read/);
    expect(label('b')).toThrow(/readClassLabel\("b"\) gives no text but 3/);
    expect(label('c')()).toBe('c');
  });

  it('is read anew when it was changed', async () => {
    const path = write('resnode.config.ts', 'export default { epochs: 1 };');
    expect((await loadConfig(path)).epochs).toBe(1);
    write('resnode.config.ts', 'export default { epochs: 2 };');
    expect((await loadConfig(path)).epochs).toBe(2);
  });

  it.each([
    ['export default { epochs: 3', /^\/c\.ts(, line \d+)?: .*(\(1:27\)|Unexpected)/],
    ['const a = 1;\nexport default { epochs: a.b.c };', /^\/c\.ts, line 2: Cannot read properties/],
    ['export const config = {};', /^\/c\.ts exports no configuration/],
    ["import x from './missing.js';\nexport default x;", /^\/c\.ts.*missing/],
    ["import { seed } from 'nowhere';\nexport default { seed };", /^\/c\.ts.*nowhere/],
    ['export default 3;', /^\/c\.ts holds no configuration/],
    [
      "import { createModel } from 'resnode';\ncreateModel({ name: 'resnet27' });\nexport default {};",
      /^\/c\.ts, line 2: there is no model 'resnet27'/,
    ],
  ])('says what is wrong in %j', async (text, message) => {
    expect((await refusal(write('c.ts', text))).message).toMatch(message);
  });
});

describe('a configuration', () => {
  it.each([
    ['js', 'module.exports = { epochs: 4 };'],
    ['js', 'export default { epochs: 4 };'],
    ['mjs', 'export default { epochs: 4 };'],
    ['json', '\uFEFF{ "epochs": 4 }'],
  ])('is read from .%s: %s', async (extension, text) => {
    expect(await loadConfig(write(`c.${extension}`, text))).toEqual({ epochs: 4 });
  });

  it.each([
    ['{\n  "epochs": x\n}', 'line 2, column 13: invalid symbol'],
    ['{\n  "epochs": 3,\n}', 'line 3, column 1: property name expected'],
    ['{\n  // mine\n  "epochs": 3\n}', 'line 2, column 3: invalid comment'],
    ['{\n  "a": 1 "b": 2 }', 'line 2, column 10: comma expected'],
    ['', 'line 1, column 1: value expected'],
    ['{ "epochs": 1', 'line 1, column 14: close brace expected'],
  ])('in JSON names line and column: %j', async (text, place) => {
    expect((await refusal(write('c.json', text))).message).toBe(`/c.json, ${place}`);
  });

  it.each([
    [{ epoch: 3 }, "has no option 'epoch'", /did you mean 'epochs'\?/],
    [{ epochs: 0 }, 'epochs cannot be 0', /^epochs: a whole number of at least 1$/],
    [{ epochs: '3' }, 'epochs cannot be "3"', /^epochs: a whole number of at least 1$/],
    [{ labelSmoothing: 1 }, 'labelSmoothing cannot be 1', /a number from 0 to below 1/],
    [{ initialization: 'zero' }, 'initialization cannot be "zero"', /xavier or kaiming/],
    [{ stages: [[1, 2, 3]] }, 'stages cannot be [[1,2,3]]', /\[\[128, 2\]/],
    [{ log: { levle: 'info' } }, "log has no option 'levle'", /did you mean 'level'\?/],
    [{ log: { level: 'loud' } }, 'level cannot be "loud"', /debug, info, warn, error or silent/],
    [{ preprocess: { size: 0 } }, 'size cannot be 0', /from 1 to 8192 or/],
    [{ preprocess: { readClassLabel: 'name' } }, 'readClassLabel cannot be "name"', /a function of the path/],
    [{ preprocess: 3 }, 'preprocess: Invalid input', /expected object/],
    [[1], 'holds no configuration', /an object of settings/],
  ])('%j is refused with what is allowed', async (config, message, hint) => {
    const said = await refusal(write('c.json', JSON.stringify(config)));
    expect(said.message).toContain(message);
    expect(said.hint).toMatch(hint);
  });

  it('takes its paths from its own folder', async () => {
    mkdirSync(join(root, 'inner'));
    const text = JSON.stringify({ data: 'data', log: { file: '/var/log/a' }, preprocess: { input: '..' } });
    const config = await loadConfig(write('inner/resnode.config.json', text));
    const here = process.cwd();
    expect(join(here, config.data ?? '')).toBe(join(root, 'inner', 'data'));
    expect(join(here, config.preprocess?.input ?? '')).toBe(root);
    expect(join(here, config.log?.file ?? '')).toBe('/var/log/a');
    expect(config.runDir).toBeUndefined();
  });

  it('is found in the folder, or not wanted, or named', async () => {
    expect(await findConfig({ folder: root })).toBeUndefined();
    const path = write('resnode.config.json', '{ "epochs": 5 }');
    expect(await findConfig({ folder: root })).toEqual({ path, config: { epochs: 5 } });
    expect(await findConfig({ folder: root, file: false })).toBeUndefined();
    await expect(findConfig({ file: join(root, 'other.ts') })).rejects.toThrow(
      /there is no file .*other\.ts/,
    );
    await expect(findConfig({ file: write('c.yaml', '') })).rejects.toThrow(/kind '\.yaml'/);
    write('resnode.config.ts', 'export default {}');
    await expect(findConfig({ folder: root })).rejects.toThrow(
      /resnode\.config\.ts and resnode\.config\.json/,
    );
  });
});
