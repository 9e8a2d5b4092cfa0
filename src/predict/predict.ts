import { chooseEngine } from '../engines/choose.js';
import type { EngineSettings } from '../engines/settings.js';
import { EngineClient } from '../train/engine-client.js';
import { topClasses } from '../train/metrics.js';
import { type CheckpointChoice, pickCheckpoint } from '../train/pick-checkpoint.js';
import { findPictures } from './find-pictures.js';
import { NetworkInput } from './network-input.js';

/** Options of {@link predict}. */
export interface PredictOptions extends CheckpointChoice, EngineSettings {
  /** Picture files in any format, and folders of them. */
  pictures: readonly string[];
  /** Classes to name for each picture. Default 5, or all where there are fewer. */
  top?: number | undefined;
  /** Pictures that go through the network at once. Default 16. */
  batchSize?: number | undefined;
  /** Threads of the engine. Default: physical cores. */
  threads?: number | undefined;
  /** Aborted, the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/** What a picture shows, the most likely class first. */
export interface Prediction {
  readonly file: string;
  readonly classes: ReadonlyArray<{ readonly label: string /** 0 to 1. */; readonly probability: number }>;
}

export interface PredictResult {
  readonly predictions: readonly Prediction[];
  /** Files that are no usable pictures. */
  readonly failed: ReadonlyArray<{ readonly file: string; readonly reason: string }>;
  readonly model: string;
  /** File with the weights. */
  readonly checkpoint: string;
  /** Epochs that they were trained. */
  readonly epoch: number;
}

/**
 * Says what pictures show, from a checkpoint alone. Pictures are resized as those of the training were, and
 * their middle is looked at.
 * @throws UserError when there is no checkpoint, or a path that is not there
 */
export async function predict(options: PredictOptions): Promise<PredictResult> {
  const { top = 5, batchSize = 16, threads, signal, onProgress } = options;
  const files = await findPictures(options.pictures);
  const { info, bytes, path } = await pickCheckpoint(options);
  const { height, width } = info.crop;
  const classes = info.classes.length;
  const input = new NetworkInput(info);
  const chosen = await chooseEngine(options);
  const engine = await EngineClient.start(
    { ...chosen, threads, model: info.model.description, classes, height, width },
    signal,
  );
  try {
    await engine.call('restore', { bytes, path, optimizer: false });
    const predictions: Prediction[] = [];
    const failed: Array<{ file: string; reason: string }> = [];
    for (let start = 0; start < files.length; start += batchSize) {
      signal?.throwIfAborted();
      const batch = files.slice(start, start + batchSize);
      const images = new Float32Array(batch.length * input.length);
      const good: string[] = [];
      for (const file of batch) {
        const reason = await input.read(file, images, good.length * input.length);
        if (reason === undefined) good.push(file);
        else failed.push({ file, reason });
      }
      onProgress?.({ done: start + batch.length, total: files.length });
      if (good.length === 0) continue;
      const logits = await engine.call('infer', {
        images: images.slice(0, good.length * input.length),
        count: good.length,
      });
      good.forEach((file, row) => {
        const best = topClasses(logits.subarray(row * classes, (row + 1) * classes), top);
        predictions.push({
          file,
          classes: best.map(({ id, probability }) => ({
            label: info.classes[id] ?? String(id),
            probability,
          })),
        });
      });
    }
    return { predictions, failed, model: info.model.name, checkpoint: path, epoch: info.epoch };
  } finally {
    await engine.close();
  }
}
