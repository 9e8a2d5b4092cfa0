import { createModel } from '../../../models/index.js';
import type { EpochResult } from '../../../train/checkpoint.js';
import { type BoardOptions, TensorBoard } from '../board.js';
import type { JudgedPicture } from '../extra.js';
import { modelGraph } from '../graph-def.js';

/** A made-up epoch; `loss` tells runs apart. */
export function epochResult(epoch: number, loss = epoch): EpochResult {
  return {
    ...{ epoch, loss, trainAccuracy: 10 * epoch, valLoss: loss / 2, valAccuracy: 9 * epoch },
    ...{ valTop5: 90 + epoch, learningRate: 0.5, seconds: 2 },
  };
}

/** A training that is only told of: a board that gets its events. */
export class ToldRun {
  readonly warnings: string[] = [];
  readonly #board: TensorBoard;

  constructor(folder: string, options: Partial<BoardOptions> = {}) {
    const model = createModel({ name: 'resnet', stages: [[32, 2]] });
    this.#board = new TensorBoard({
      folder,
      model: model.name,
      graph: () => modelGraph(model, { size: 32, classes: 10 }),
      config: {
        ...{ data: '/pictures', model: { family: 'resnet' }, initialization: 'xavier', crop: 32 },
        ...{ batchSize: 8, valBatchSize: 8, epochs: 6, learningRate: 0.5 },
        ...{ optimizer: { kind: 'sgd', momentum: 0.9 }, schedule: { name: 'constant' } },
        ...{ labelSmoothing: 0, flip: true, seed: 3, checkpointInterval: 1, keepLast: 3 },
      },
      images: 100,
      extras: [],
      resumed: { epoch: 0, history: [] },
      warn: (message) => this.warnings.push(message),
      ...options,
    });
  }

  epoch(result: EpochResult): this {
    this.#board.listen({ kind: 'epoch', epochs: 6, steps: 10, ...result });
    return this;
  }

  save(epoch: number, options: { best?: boolean } = {}): this {
    const { best = false } = options;
    this.#board.listen({ kind: 'checkpoint', path: String(epoch), best, epoch, step: 0, globalStep: 0 });
    return this;
  }

  /** What a validation found. */
  pictures(...pictures: JudgedPicture[]): this {
    this.#board.onPictures?.(pictures);
    return this;
  }

  /** Epochs one after the other, each saved. */
  async epochs(results: readonly EpochResult[]): Promise<void> {
    for (const result of results) this.epoch(result).save(result.epoch);
    await this.written();
  }

  written(): Promise<void> {
    return this.#board.close();
  }
}
