import { Competitor, type CompetitorOptions, median } from '../competitor.js';
import type { BenchOptions, Table } from './suite.js';

/** glibc's malloc keeps what it gets instead of giving it back after each step: PyTorch's best setting on a CPU. */
const tunedMalloc = {
  MALLOC_MMAP_MAX_: '0',
  MALLOC_TRIM_THRESHOLD_: '17179869184',
  MALLOC_TOP_PAD_: '268435456',
};

/** One whole training step: forward, backward, update. */
export async function stepSuite(options: BenchOptions): Promise<Table> {
  return compare('training step', 'train', options);
}

/** Forward by running statistics, batch norms folded on our side. */
export async function inferenceSuite(options: BenchOptions): Promise<Table> {
  return compare('inference', 'inference', options);
}

async function compare(what: string, mode: 'train' | 'inference', options: BenchOptions): Promise<Table> {
  const competitors: Competitor[] = [];
  const peaks: number[] = [];
  try {
    // one at a time: nobody's start is measured while another computes
    for (const each of contestants(mode, options)) competitors.push(await Competitor.start(each));
    for (let round = 0; round < options.rounds; round++) {
      for (const competitor of competitors) await competitor.run(options.steps);
    }
  } finally {
    for (const competitor of competitors) peaks.push(await competitor.quit());
  }
  const [ours] = competitors;
  const oursSeconds = ours ? median(ours.samples) : Number.NaN;
  const { stages, pixels, batch, threads, rounds, steps, precision } = options;
  return {
    title: `${what}, ResNet ${stages}, ${pixels} px, batch ${batch}, ${threads} threads, ${precision}: median of ${rounds} rounds of ${steps} steps, in turn`,
    rows: competitors.map((competitor, index) => {
      const seconds = median(competitor.samples);
      return {
        name: competitor.name,
        'img/s': Number((batch / seconds).toFixed(1)),
        'ms/step': Number((seconds * 1e3).toFixed(1)),
        [`${ours?.name} is faster by`]: `${(seconds / oursSeconds).toFixed(2)}x`,
        'peak MB': Math.round((peaks[index] ?? 0) / 1e6),
        'first step after s': Number(competitor.firstStep.toFixed(2)),
        version: competitor.version,
      };
    }),
  };
}

function contestants(mode: 'train' | 'inference', options: BenchOptions): CompetitorOptions[] {
  const { precision } = options;
  const half = contestantsIn(precision, mode, options);
  if (precision === 'fp32') return half;
  // what half precision is for: each side as most people run it
  const [ours, theirs] = ['resnode', 'PyTorch'].map((name) =>
    contestantsIn('fp32', mode, options).find((each) => each.name === name),
  );
  const full = [ours, theirs].flatMap((each) => (each ? [{ ...each, name: `${each.name}, fp32` }] : []));
  return [...half, ...full];
}

function contestantsIn(
  precision: string,
  mode: 'train' | 'inference',
  options: BenchOptions,
): CompetitorOptions[] {
  const size = ['stages', 'batch', 'pixels', 'threads'] as const;
  const shared = [...size.flatMap((key) => [`--${key}`, String(options[key])]), '--mode', mode];
  const threads = { OMP_NUM_THREADS: String(options.threads) };
  const { device } = options;
  shared.push('--precision', precision);
  const ours = options.engines.split(',').map(
    (engine): CompetitorOptions => ({
      name: engine === 'onednn' ? 'resnode' : `resnode, engine ${engine}`,
      command: process.execPath,
      arguments: [
        ...['--import', 'tsx', 'bench/resnode/step.ts', ...shared, '--engine', engine],
        ...(engine === 'onednn' ? [] : ['--device', device]),
      ],
    }),
  );
  const { torch } = options;
  if (!torch) return ours;
  const python = (
    name: string,
    extra: string[],
    environment: Record<string, string> = {},
  ): CompetitorOptions => ({
    name,
    command: torch,
    arguments: ['bench/pytorch/step.py', ...shared, '--device', device, ...extra],
    environment: { ...threads, ...environment },
  });
  return [
    ...ours,
    python('PyTorch', []),
    python('PyTorch channels_last', ['--channels-last']),
    python('PyTorch channels_last, malloc tuned', ['--channels-last'], tunedMalloc),
  ];
}
