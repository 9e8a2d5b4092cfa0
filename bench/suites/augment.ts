import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { transforms } from '../../dist/data/transforms/registry.js';
import { Competitor, median } from '../competitor.js';
import { dataset } from './pictures.js';
import type { BenchOptions, Table } from './suite.js';

/** A transform as both sides read it: our names and options, which the Python side translates. */
interface Spec {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

const crop = 224;
const rotated = { rotateLimit: [-15, -15], borderMode: 'replicate' };

/** The original's augmentation. */
const original: readonly Spec[] = [
  { name: 'HorizontalFlip', options: { p: 0.5 } },
  { name: 'ShiftScaleRotate', options: { ...rotated, p: 0.5 } },
  {
    name: 'OneOf',
    options: {
      transforms: [
        { name: 'RandomBrightnessContrast', options: { p: 0.1 } },
        { name: 'Equalize', options: { mode: 'cv', byChannels: true } },
      ],
      p: 0.5,
    },
  },
  { name: 'RandomCrop', options: { height: crop, width: crop } },
  { name: 'Normalize', options: {} },
];

/** What is timed one by one, always applied. */
const single: readonly Spec[] = [
  { name: 'HorizontalFlip', options: {} },
  { name: 'VerticalFlip', options: {} },
  { name: 'ShiftScaleRotate', options: rotated },
  { name: 'RandomCrop', options: { height: crop, width: crop } },
  { name: 'Resize', options: { height: crop, width: crop } },
  { name: 'RandomBrightnessContrast', options: {} },
  { name: 'HueSaturationValue', options: {} },
  { name: 'ColorJitter', options: {} },
  { name: 'ToGray', options: {} },
  { name: 'Equalize', options: {} },
  { name: 'Equalize', options: { mode: 'pil' } },
  { name: 'Equalize', options: { byChannels: false } },
  { name: 'GaussianBlur', options: {} },
  { name: 'GaussNoise', options: {} },
  { name: 'CoarseDropout', options: {} },
];

const known = ({ name }: Spec): boolean => transforms.has(name);

/** Decoding 256-px JPEGs and the original's whole augmentation, one thread a side. */
export async function augmentSuite(options: BenchOptions): Promise<Table> {
  const data = await dataset(options.data, 256);
  const specs = original.filter(known);
  const pipeline = JSON.stringify(specs);
  const sides = [`--data=${data}`, `--size=${crop}`];
  const loader = ['--import', 'tsx', 'bench/resnode/load.ts', ...sides, `--transforms=${pipeline}`];
  const competitors = [
    await Competitor.start({ name: 'resnode loader', command: process.execPath, arguments: loader }),
    await Competitor.start({
      name: 'resnode loader, --cache ram, from the second epoch on',
      command: process.execPath,
      arguments: [...loader, '--cache'],
    }),
  ];
  if (options.torch) {
    competitors.push(
      await Competitor.start({
        name: 'albumentations + OpenCV',
        command: options.torch,
        arguments: ['bench/pytorch/augment.py', `--pictures=${data}/train`, `--transforms=${pipeline}`],
        environment: { NO_ALBUMENTATIONS_UPDATE: '1' },
      }),
    );
  }
  const pictures = 512;
  for (let round = 0; round < options.rounds; round++) {
    for (const competitor of competitors) await competitor.run(pictures);
  }
  for (const competitor of competitors) await competitor.quit();
  const names = specs.map(({ name }) => name).join(', ');
  const [ours] = competitors;
  return {
    title: `decode + ${names}, one thread: median of ${options.rounds} rounds of ${pictures} pictures, in turn`,
    rows: competitors.map((each) => ({
      name: each.name,
      'pictures/s': Math.round(1 / median(each.samples)),
      'resnode is faster by': `${(median(each.samples) / median(ours?.samples ?? [])).toFixed(2)}x`,
      version: each.version,
    })),
  };
}

/** Each transform on its own, always applied, on decoded pictures. */
export async function transformsSuite(options: BenchOptions): Promise<Table> {
  const data = await dataset(options.data, 256);
  const specs = single.filter(known).map(({ name, options }) => ({ name, options: { ...options, p: 1 } }));
  const list = `--transforms=${JSON.stringify(specs)}`;
  const ours: number[][] = [];
  const theirs: number[][] = [];
  for (let round = 0; round < options.rounds; round++) {
    ours.push(
      await times(process.execPath, [
        '--import',
        'tsx',
        'bench/resnode/transform-times.ts',
        `--data=${data}`,
        list,
      ]),
    );
    if (options.torch) {
      theirs.push(
        await times(options.torch, ['bench/pytorch/augment.py', '--times', `--pictures=${data}/train`, list]),
      );
    }
  }
  const of = (rounds: readonly number[][], at: number): number =>
    median(rounds.map((times) => times[at] ?? Number.NaN));
  return {
    title: `milliseconds a picture of 256 px, one thread: median of ${options.rounds} rounds, in turn`,
    rows: specs.map(({ name, options: { p, ...rest } }, at) => ({
      name: Object.keys(rest).length > 0 ? `${name} ${JSON.stringify(rest)}` : name,
      resnode: of(ours, at).toFixed(3),
      ...(theirs.length > 0
        ? {
            'albumentations + OpenCV': of(theirs, at).toFixed(3),
            'resnode is faster by': `${(of(theirs, at) / of(ours, at)).toFixed(2)}x`,
          }
        : {}),
    })),
  };
}

/** Runs a program that prints the milliseconds of each transform as a JSON list. */
async function times(command: string, list: readonly string[]): Promise<number[]> {
  const environment = { ...process.env, NO_ALBUMENTATIONS_UPDATE: '1' };
  const { stdout } = await promisify(execFile)(command, list, { env: environment });
  return JSON.parse(stdout) as number[];
}
