import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { describeSettings } from '../config/schema.js';
import { recipes } from '../recipes/index.js';
import { configCommand } from './config.js';
import { initCommand } from './init.js';
import { preprocessCommand } from './preprocess.js';
import { recipesCommand } from './recipes.js';
import { trainCommand } from './train.js';

const before = process.cwd();
let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'resnode-cli-config-')));
  process.chdir(root);
});
afterEach(() => {
  vi.restoreAllMocks();
  process.chdir(before);
  rmSync(root, { recursive: true });
});

/** What a command prints on stdout. */
async function run(command: Command, ...argv: string[]): Promise<string> {
  let written = '';
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written += String(text);
    return true;
  });
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  try {
    await command
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .parseAsync(argv, { from: 'user' });
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
  return written;
}

interface Row {
  readonly value: unknown;
  readonly source: string;
}

async function effective(...argv: string[]): Promise<Readonly<Record<string, Row>>> {
  const text = await run(configCommand(), '--json', ...argv);
  return (JSON.parse(text) as { settings: Record<string, Row> }).settings;
}

function touch(...parts: string[]): void {
  const path = join(root, ...parts);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, '');
}

describe('resnode config', () => {
  it('says of every setting its value and where it comes from', async () => {
    writeFileSync('resnode.config.json', '{ "epochs": 7, "seed": 3, "log": { "level": "warn" } }');
    const settings = await effective('--recipe', 'resnet20', '--seed', '5', '--batch-size', '8');
    expect(settings.epochs).toEqual({ value: 7, source: 'resnode.config.json' });
    expect(settings.seed).toEqual({ value: 5, source: 'flag' });
    expect(settings.model).toEqual({ value: 'resnet20', source: 'recipe resnet20' });
    expect(settings.project).toEqual({ value: 'resnet20', source: 'recipe resnet20' });
    expect(settings['optimizer.kind']).toEqual({ value: 'adam', source: 'recipe resnet20' });
    expect(settings['optimizer.beta1']).toEqual({ value: 0.9, source: 'default' });
    expect(settings.valBatchSize).toEqual({ value: 8, source: 'default' });
    expect(settings['log.level']).toEqual({ value: 'warn', source: 'resnode.config.json' });
    expect(settings['log.file']).toEqual({
      value: join('runs', 'resnet20', 'output.log'),
      source: 'default',
    });
    expect(settings['preprocess.valSplit']).toEqual({ value: 0.2, source: 'default' });
    const shown = new Set(Object.keys(settings).map((key) => key.replace(/^optimizer\..*/, 'optimizer')));
    const all = describeSettings().map(({ key }) => key);
    expect([...shown]).toEqual(all.filter((key) => key !== 'stages' && key !== 'block'));
  });

  it('a switch of the configuration can be put back by a flag', async () => {
    writeFileSync(
      'resnode.config.json',
      JSON.stringify({
        flip: false,
        optimizer: 'sgd,nesterov=false,noDecay=true',
        schedule: { name: 'step', stepSize: 3 },
      }),
    );
    expect((await effective()).flip).toEqual({ value: false, source: 'resnode.config.json' });
    const settings = await effective(
      '--flip',
      '--decay-norms',
      '--optimizer',
      'sgd,nesterov=true',
      '--lr',
      '1',
    );
    expect(settings.flip).toEqual({ value: true, source: 'flag' });
    expect(settings['optimizer.noDecay']).toEqual({ value: false, source: 'flag' });
    expect(settings['optimizer.nesterov']).toEqual({ value: true, source: 'flag' });
    expect(settings.learningRate).toEqual({ value: 1, source: 'flag' });
    const transforms = { train: [{ name: 'RandomCrop', options: { height: 8, width: 8 } }] };
    writeFileSync('resnode.config.json', JSON.stringify({ transforms }));
    expect((await effective()).transforms?.value).toEqual(transforms);
    expect((await effective('--no-transforms')).transforms).toEqual({ value: {}, source: 'flag' });
  });

  it('prints a table', async () => {
    const text = await run(configCommand(), '--stages', '32x1,64x1', '--schedule', 'step,stepSize=3');
    expect(text).toMatch(/^setting +value +from\n/);
    expect(text).toMatch(/^model +resnet-32x1-64x1 +flag$/m);
    expect(text).toMatch(/^schedule +step,stepSize=3,gamma=0\.1,by=epoch +flag$/m);
  });

  it('refuses what training would refuse', async () => {
    await expect(effective('--epochs', '0')).rejects.toThrow(/epochs cannot be 0/);
    await expect(effective('--optimizer', 'adam', '--momentum', '0.9')).rejects.toThrow(
      /no option 'momentum'/,
    );
    writeFileSync('resnode.config.json', '{ "epoch": 7 }');
    await expect(effective()).rejects.toThrow(/resnode\.config\.json has no option 'epoch'/);
    expect((await effective('--no-config')).epochs).toEqual({ value: 80, source: 'default' });
  });
});

describe('resnode init', () => {
  it('fills in the pictures that lie there, and what it writes can be read', async () => {
    for (const label of ['001.ak47', '002.flag']) touch('photos', label, 'a.jpg');
    expect(await run(initCommand())).toMatch(/photos \(2 classes\)[\s\S]*resnode preprocess\n/);
    const settings = await effective();
    expect(settings['preprocess.input']).toEqual({ value: 'photos', source: 'resnode.config.ts' });
    expect(settings['preprocess.output']?.value).toBe('data');
    expect(settings['preprocess.readClassLabel']?.value).toBe('[function]');
    expect(settings.data?.value).toBe('data');
    expect(settings.epochs?.source).toBe('default');
  });

  it('finds a dataset, and puts a new one beside the pictures where these are all there is', async () => {
    for (const label of ['cat', 'dog']) touch('pets', label, 'a.png');
    touch('prepared', 'dataset.json');
    for (const split of ['train', 'val']) touch('prepared', split, 'a.jpg');
    await run(initCommand());
    expect((await effective()).data?.value).toBe('prepared');
    process.chdir('pets');
    await run(initCommand());
    const settings = await effective();
    expect(settings['preprocess.input']?.value).toBe('.');
    expect(settings['preprocess.output']?.value).toBe('../pets-data');
    expect(settings.project?.value).toBe('pets');
  });

  it.each([undefined, ...recipes.map(({ name }) => name)])(
    'every line that is a comment can be made a setting (%s)',
    async (recipe) => {
      await run(initCommand(), ...(recipe === undefined ? [] : ['--recipe', recipe]));
      const text = readFileSync('resnode.config.ts', 'utf8');
      const commented = /^( +)\/\/ (?=\w+: .*,( +\/\/ .*)?$)/gm;
      expect(text.match(commented)?.length).toBeGreaterThan(15);
      writeFileSync('resnode.config.ts', text.replace(commented, '$1'));
      const settings = await effective();
      for (const key of ['epochs', 'keepLast', 'optimizer.kind', 'preprocess.size', 'log.file']) {
        expect(settings[key]?.source, key).toBe('resnode.config.ts');
      }
    },
  );

  it('writes over nothing unless told to', async () => {
    await run(initCommand());
    writeFileSync('resnode.config.ts', 'mine');
    await expect(run(initCommand())).rejects.toThrow(/configuration already: resnode\.config\.ts/);
    expect(readFileSync('resnode.config.ts', 'utf8')).toBe('mine');
    await run(initCommand(), '--force');
    expect(readFileSync('resnode.config.ts', 'utf8')).toContain('defineConfig');
    writeFileSync('resnode.config.json', '{}');
    await expect(run(initCommand(), '--force')).rejects.toThrow(/already: resnode\.config\.json/);
    await expect(run(initCommand(), '--recipe', 'resnet2O')).rejects.toThrow(/no recipe 'resnet2O'/);
  });
});

it('resnode recipes lists them all', async () => {
  const lines = (await run(recipesCommand())).trimEnd().split('\n');
  expect(lines.slice(1).map((line) => line.split(/\s/)[0])).toEqual(recipes.map(({ name }) => name));
  expect(lines.find((line) => line.startsWith('resnet20'))).toMatch(/adam 0\.001 +\S+ +80 +128/);
  const all = JSON.parse(await run(recipesCommand(), '--json')) as Array<{ settings: { epochs: number } }>;
  expect(all.map(({ settings }) => settings.epochs)).toEqual(recipes.map(({ settings }) => settings.epochs));
});

it('every setting that the documentation gives a flag has that flag', () => {
  const flagsOf = (command: Command): string[] =>
    command.options.flatMap(({ long, short }) => [long ?? '', short ?? '']);
  const [train, preprocess] = [flagsOf(trainCommand()), flagsOf(preprocessCommand())];
  for (const { key, flag } of describeSettings()) {
    const flags = flag.match(/--[\w-]+/g) ?? [];
    const known = key.startsWith('preprocess.') ? preprocess : train;
    for (const each of flags) expect(known, `${each} of ${key}`).toContain(each);
  }
});

it('preprocess takes from the configuration what it is not told', async () => {
  writeFileSync('resnode.config.json', '{ "data": "made", "preprocess": { "input": "nowhere", "size": 0 } }');
  await expect(run(preprocessCommand())).rejects.toThrow(/size cannot be 0/);
  writeFileSync('resnode.config.json', '{ "data": "made", "preprocess": { "input": "nowhere" } }');
  await expect(run(preprocessCommand())).rejects.toThrow(/folder nowhere does not exist/);
  await expect(run(preprocessCommand(), 'elsewhere')).rejects.toThrow(/folder elsewhere does not exist/);
  await expect(run(preprocessCommand(), '--no-config')).rejects.toThrow(/folder of pictures is missing/);
  await expect(run(preprocessCommand(), 'a', '--no-config')).rejects.toThrow(
    /folder for the dataset is missing/,
  );
});

it('train without a name says what to do', async () => {
  await expect(run(trainCommand(), '--data', 'data')).rejects.toThrow(/the run has no name/);
});
