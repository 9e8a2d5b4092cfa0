import type { Dataset } from '../../data/dataset.js';
import { validationPictures } from '../../data/read-picture.js';
import type { ResolvedTraining } from '../../train/config.js';
import type { RunFolder } from '../../train/run-folder.js';
import type { BoardOptions, TensorBoard } from './board.js';
import type { Extra } from './extra.js';

export interface OpenBoardOptions extends Pick<BoardOptions, 'resumed' | 'warn'> {
  readonly folder: RunFolder;
  readonly dataset: Dataset;
  readonly training: ResolvedTraining;
  /** Reads the gradients of the last batch, as a .safetensors file. */
  readonly gradients: () => Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/** The TensorBoard of a training; undefined when it has none, or when this machine lacks a library for it. */
export async function openBoard(options: OpenBoardOptions): Promise<TensorBoard | undefined> {
  const { folder, dataset, training, resumed, warn } = options;
  const { config, model } = training;
  if (!config.tensorboard) return undefined;
  try {
    const { TensorBoard } = await import('./board.js');
    const { modelGraph } = await import('./graph-def.js');
    const steps = Math.floor(dataset.train.length / config.batchSize);
    return new TensorBoard({
      folder: folder.tensorboard,
      model: model.name,
      graph: () => modelGraph(model, { size: config.crop, classes: dataset.classes.length }),
      config,
      images: steps * config.batchSize + dataset.val.length,
      extras: await extrasOf(options),
      resumed,
      warn,
    });
  } catch (error) {
    warn(`nothing is written for TensorBoard: ${(error as Error).message}`);
    return undefined;
  }
}

async function extrasOf({ training, dataset, gradients }: OpenBoardOptions): Promise<Extra[]> {
  const { histograms, mistakes: count = 0 } = training.config;
  const extras: Extra[] = [];
  if (histograms) {
    const { HistogramsExtra } = await import('./histograms/histograms-extra.js');
    extras.push(new HistogramsExtra(gradients));
  }
  if (count > 0) {
    const { MistakesExtra } = await import('./mistakes/mistakes-extra.js');
    extras.push(new MistakesExtra({ source: validationPictures(dataset), classes: dataset.classes, count }));
  }
  return extras;
}
