import { Competitor, median } from '../competitor.js';
import { dataset } from './pictures.js';
import type { BenchOptions, Table } from './suite.js';

const crop = 112;

/** Decoding, random crop, flip and normalisation of 128-px JPEGs, one thread a side. */
export async function loaderSuite(options: BenchOptions): Promise<Table> {
  const data = await dataset(options.data);
  const competitors = [
    await Competitor.start({
      name: 'resnode loader',
      command: process.execPath,
      arguments: ['--import', 'tsx', 'bench/resnode/load.ts', '--data', data, '--size', String(crop)],
    }),
  ];
  if (options.torch) {
    competitors.push(
      await Competitor.start({
        name: 'albumentations + OpenCV',
        command: options.torch,
        arguments: [
          'bench/pytorch/pictures.py',
          '--mode',
          'load',
          '--pictures',
          `${data}/train`,
          '--size',
          String(crop),
        ],
      }),
    );
  }
  const pictures = 512;
  for (let round = 0; round < options.rounds; round++) {
    for (const competitor of competitors) await competitor.run(pictures);
  }
  for (const competitor of competitors) await competitor.quit();
  const [ours] = competitors;
  return {
    title: `loader, one thread, decode + crop ${crop} + flip + normalise: median of ${options.rounds} rounds of ${pictures} pictures, in turn`,
    rows: competitors.map((each) => ({
      name: each.name,
      'pictures/s': Math.round(1 / median(each.samples)),
      'resnode is faster by': `${(median(each.samples) / median(ours?.samples ?? [])).toFixed(2)}x`,
      version: each.version,
    })),
  };
}
