import type { Dataset } from '../data/dataset.js';
import { Loader } from '../data/loader/loader.js';
import type { LoaderOptions } from '../data/loader/options.js';
import type { TrainConfig } from './config.js';
import { completeLists } from './transform-lists.js';
import type { World } from './world.js';

/** Loader threads that somebody asked for; undefined to find their number out. */
export function chosenWorkers({ workers = 'auto' }: TrainConfig): number | undefined {
  return workers === 'auto' ? undefined : workers;
}

/** Starts the threads that read a training's pictures; a rank of several reads its share of each batch. */
export function startLoader(
  dataset: Dataset,
  config: TrainConfig,
  { world, ...beside }: Pick<LoaderOptions, 'cache' | 'onWarning'> & { world: World | undefined },
): Promise<Loader> {
  const size = { height: config.crop, width: config.crop };
  const transforms = completeLists(size, config);
  return Loader.start({
    folder: dataset.folder,
    samples: { train: dataset.train, val: dataset.val },
    mean: dataset.mean,
    std: dataset.std,
    height: config.crop,
    width: config.crop,
    batchSize: config.batchSize,
    valBatchSize: config.valBatchSize,
    trainTransforms: transforms.train,
    valTransforms: transforms.val,
    // where it is found out, others join the first one
    workers: chosenWorkers(config) ?? 1,
    ...(world ? { share: { index: world.rank, of: world.size } } : {}),
    seed: config.seed,
    ...(config.shuffleBuffer === undefined ? {} : { shuffleBuffer: config.shuffleBuffer }),
    minSide: dataset.minSide,
    ...beside,
  });
}
