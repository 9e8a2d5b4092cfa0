import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Competitor, type CompetitorOptions, median } from '../competitor.js';
import type { BenchOptions, Table } from './suite.js';

/** One replica with all threads, beside two that share them: in one process, and as ranks of each MPI that is here. */
export async function scalingSuite(options: BenchOptions): Promise<Table> {
  const competitors: Competitor[] = [];
  try {
    for (const each of contestants(options)) competitors.push(await Competitor.start(each));
    for (let round = 0; round < options.rounds; round++) {
      for (const competitor of competitors) await competitor.run(options.steps);
    }
  } finally {
    for (const competitor of competitors) await competitor.quit();
  }
  const [alone] = competitors;
  const aloneSeconds = alone ? median(alone.samples) : Number.NaN;
  const { stages, pixels, batch, threads, rounds, steps, precision } = options;
  return {
    title: `replicas, ResNet ${stages}, ${pixels} px, batch ${batch} over all, ${threads} threads over all, ${precision}: median of ${rounds} rounds of ${steps} steps, in turn`,
    rows: competitors.map(({ name, samples, exchanged }) => {
      const seconds = median(samples);
      return {
        name,
        'img/s': Number((batch / seconds).toFixed(1)),
        'ms/step': Number((seconds * 1e3).toFixed(1)),
        'of one replica': `${(aloneSeconds / seconds).toFixed(2)}x`,
        'in communication': `${((100 * median(exchanged)) / seconds).toFixed(1)} %`,
      };
    }),
  };
}

function box(): string {
  return mkdtempSync(join(tmpdir(), 'resnode-scaling-'));
}

function contestants(options: BenchOptions): CompetitorOptions[] {
  const { threads } = options;
  const size = ['stages', 'batch', 'pixels', 'precision'] as const;
  const shared = size.flatMap((key) => [`--${key}`, String(options[key])]);
  const script = ['--import', 'tsx', 'bench/resnode/scale.ts', ...shared];
  const all = ['--threads', String(threads)];
  const half = ['--threads', String(Math.max(1, Math.floor(threads / 2)))];
  const command = process.execPath;
  const ranks = [
    {
      name: 'two ranks, Open MPI',
      command: 'mpirun.openmpi',
      options: ['--allow-run-as-root', '--oversubscribe', '--bind-to', 'none'],
    },
    { name: 'two ranks, MPICH', command: 'mpirun.mpich', options: [] },
  ].filter((each) => spawnSync(each.command, ['--version'], { stdio: 'ignore' }).status === 0);
  return [
    { name: 'one replica', command, arguments: [...script, ...all] },
    { name: 'two replicas', command, arguments: [...script, ...all, '--devices', 'cpu:2'] },
    {
      name: 'two replicas, sync BN',
      command,
      arguments: [...script, ...all, '--devices', 'cpu:2', '--sync'],
    },
    ...ranks.map(({ name, command: launcher, options: own }) => ({
      name,
      command: launcher,
      arguments: [...own, '-np', '2', command, ...script, ...half, '--box', box()],
    })),
  ];
}
