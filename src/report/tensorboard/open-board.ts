import type { Dataset } from '../../data/dataset.js';
import type { ResolvedTraining } from '../../train/config.js';
import type { RunFolder } from '../../train/run-folder.js';
import type { BoardOptions, TensorBoard } from './board.js';

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
    const { HistogramsExtra } = await import('./histograms/histograms-extra.js');
    const { modelGraph } = await import('./graph-def.js');
    const steps = Math.floor(dataset.train.length / config.batchSize);
    return new TensorBoard({
      folder: folder.tensorboard,
      model: model.name,
      graph: () => modelGraph(model, { size: config.crop, classes: dataset.classes.length }),
      config,
      images: steps * config.batchSize + dataset.val.length,
      positionOf: (checkpoint) => folder.positionOf(checkpoint),
      extras: config.histograms ? [new HistogramsExtra(options.gradients)] : [],
      resumed,
      warn,
    });
  } catch (error) {
    warn(`nothing is written for TensorBoard: ${(error as Error).message}`);
    return undefined;
  }
}
