import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchersBetween, type TwoHosts, twoHosts } from '../../test/e2e/two-hosts.js';
import { Competitor, type CompetitorOptions, median } from '../competitor.js';
import type { BenchOptions, Table } from './suite.js';

/**
 * Two replicas in one process, beside two on hosts of their own that a cable of a given rate joins: with the sums of the
 * gradients after the backward pass, and beside it.
 */
export async function linkSuite(options: BenchOptions): Promise<Table> {
  const folder = mkdtempSync(join(tmpdir(), 'resnode-link-'));
  const hosts = twoHosts(folder, options.link);
  if (!hosts) throw new Error('two hosts need Linux, root, and iproute2 (ip, tc)');
  const competitors: Competitor[] = [];
  try {
    for (const each of contestants(options, hosts)) competitors.push(await Competitor.start(each));
    for (let round = 0; round < options.rounds; round++) {
      for (const competitor of competitors) await competitor.run(options.steps);
    }
  } finally {
    for (const competitor of competitors) await competitor.quit();
    hosts.remove();
    rmSync(folder, { recursive: true, force: true });
  }
  const [together] = competitors;
  const fewest = together ? median(together.samples) : Number.NaN;
  const { stages, pixels, batch, threads, rounds, steps, precision, link } = options;
  return {
    title: `two hosts joined by ${link}, ResNet ${stages}, ${pixels} px, batch ${batch} over both, ${threads} threads over both, ${precision}: median of ${rounds} rounds of ${steps} steps, in turn`,
    rows: competitors.map(({ name, samples, exchanged }) => {
      const seconds = median(samples);
      return {
        name,
        'ms/step': Number((seconds * 1e3).toFixed(1)),
        'of one process': `${(fewest / seconds).toFixed(2)}x`,
        'in communication': `${(1e3 * median(exchanged)).toFixed(1)} ms`,
      };
    }),
  };
}

function contestants(options: BenchOptions, hosts: TwoHosts): CompetitorOptions[] {
  const { threads } = options;
  const size = ['stages', 'batch', 'pixels', 'precision'] as const;
  const shared = size.flatMap((key) => [`--${key}`, String(options[key])]);
  const script = ['--import', 'tsx', 'bench/resnode/scale.ts', ...shared];
  const half = ['--threads', String(Math.max(1, Math.floor(threads / 2)))];
  const command = process.execPath;
  const ranks = launchersBetween(hosts)
    .filter((each) => spawnSync(each.command, ['--version'], { stdio: 'ignore' }).status === 0)
    .flatMap(({ name, launch }) =>
      ['off', 'on'].map((overlap) => ({
        name: `${name}, ${overlap === 'on' ? 'beside' : 'after'} the backward pass`,
        command: 'ip',
        arguments: launch([command, ...script, ...half, '--overlap', overlap, '--box', box()]),
      })),
    );
  return [
    {
      name: 'one process',
      command,
      arguments: [...script, '--threads', String(threads), '--devices', 'cpu:2'],
    },
    ...ranks,
  ];
}

function box(): string {
  return mkdtempSync(join(tmpdir(), 'resnode-box-'));
}
