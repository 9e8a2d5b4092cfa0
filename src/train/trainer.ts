import type { Dataset } from '../data/dataset.js';
import type { EngineName } from '../engines/registry.js';
import { UserError } from '../errors.js';
import { resnodeVersion } from '../version.js';
import { type CheckpointInfo, checkpointMetadata, type EpochResult } from './checkpoint.js';
import { SavePlan } from './checkpoint-interval.js';
import type { CheckpointSaver } from './checkpoint-saver.js';
import type { ResolvedTraining } from './config.js';
import type { TrainingEngine } from './engine-group.js';
import type { EpochQueue } from './epoch-queue.js';
import type { TrainListener, TrainStep } from './events.js';
import { meansOf, noSums, type Sums } from './metrics.js';
import type { ScalerState } from './precision/loss-scaler.js';
import { reportSkipped } from './precision/report-skipped.js';
import { type PictureListener, predictQueued } from './predictions.js';
import type { Preparation } from './preparation.js';
import type { RunFolder } from './run-folder.js';
import { type Schedule, valueAt } from './schedules/index.js';
import type { SpanResult } from './span.js';
import { runNormalization } from './transform-lists.js';

export interface TrainerOptions {
  readonly training: ResolvedTraining;
  readonly dataset: Dataset;
  readonly preparation: Preparation | undefined;
  readonly folder: RunFolder;
  readonly queue: EpochQueue;
  readonly engine: TrainingEngine;
  /** What runs it, for the checkpoints. */
  readonly engineName: EngineName;
  readonly saver: CheckpointSaver;
  readonly schedule: Schedule;
  readonly position: Position;
  readonly listener: TrainListener;
  /** Told what each validation finds of each picture. */
  readonly onPictures?: PictureListener | undefined;
  /** Waited for before an epoch is told of, at all ranks. */
  readonly beforeEpochEnds?: (() => Promise<void>) | undefined;
  readonly signal: AbortSignal;
  /** Whether it saves: of several ranks the first one does. */
  readonly leads: boolean;
}

/** Where a run is. */
export interface Position {
  /** Epochs finished. */
  readonly epoch: number;
  /** Batches done of the next. */
  readonly step: number;
  readonly globalStep: number;
  /** Of the batches of the epoch that is begun, and the seconds that they took. */
  readonly sums: Sums;
  readonly seconds: number;
  readonly scaler?: ScalerState | undefined;
  readonly history: readonly EpochResult[];
  readonly best: CheckpointInfo['best'];
}

export const startPosition: Position = {
  epoch: 0,
  step: 0,
  globalStep: 0,
  sums: noSums,
  seconds: 0,
  history: [],
  best: null,
};

/** Carries a run through its epochs: asks the engine thread for spans of steps, and keeps the books. */
export class Trainer {
  readonly #options: TrainerOptions;
  /** Batches in an epoch. */
  readonly #steps: number;
  readonly #valSteps: number;
  readonly #plan: SavePlan;
  #position: Position;
  #savedAt: Position;
  #leftOut = false;
  /** In this epoch and this process, the engine waited so long for pictures. */
  #waitedMs = 0;

  constructor(options: TrainerOptions) {
    const { training, dataset, position } = options;
    this.#options = options;
    this.#steps = Math.floor(dataset.train.length / training.config.batchSize);
    this.#valSteps = Math.ceil(dataset.val.length / training.config.valBatchSize);
    this.#plan = new SavePlan(training.config.checkpointInterval);
    this.#position = position;
    this.#savedAt = position;
  }

  get position(): Position {
    return this.#position;
  }

  /**
   * Trains to the last epoch or until the signal is aborted, and saves.
   * @throws UserError when the loss is not finite or the loader fails
   */
  async run(): Promise<'finished' | 'stopped'> {
    const { signal, training, engine, saver } = this.#options;
    const stop = (): void => engine.stop();
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    try {
      while (this.#position.epoch < training.config.epochs) {
        if ((await this.#epoch()) === 'stopped') {
          await this.#saveBeforeLeaving();
          return 'stopped';
        }
      }
      await this.#requireSaved();
      return 'finished';
    } finally {
      signal.removeEventListener('abort', stop);
      await saver.settle();
    }
  }

  async #epoch(): Promise<'done' | 'stopped'> {
    // one epoch ahead, so that the loader never waits for us
    this.#options.queue.upTo(this.#position.epoch + 2);
    const started = performance.now();
    this.#waitedMs = 0;
    const before = this.#position.seconds;
    const seconds = (): number => before + (performance.now() - started) / 1000;
    const trained = await this.#train(seconds);
    if (trained.ended === 'stopped') return 'stopped';
    const validated = this.#valSteps > 0 ? await this.#validate(seconds) : undefined;
    if (validated?.ended === 'stopped') return 'stopped';
    const share = this.#waitedMs / (performance.now() - started);
    await this.#options.beforeEpochEnds?.();
    await this.#close(validated?.sums, seconds(), share);
    return 'done';
  }

  /** Trains the rest of the epoch, and saves within it where that is due. */
  async #train(seconds: () => number): Promise<SpanResult> {
    const first = this.#position;
    for (;;) {
      const result = await this.#trainSpan(first, seconds);
      const over = result.ended !== 'done' && result.ended !== 'paused';
      if (over || this.#position.step >= this.#steps) return result;
      if (this.#plan.dueWithin(this.#position)) await this.#saveWithin();
    }
  }

  /** Trains up to the next save, or the end of the epoch. */
  async #trainSpan(first: Position, seconds: () => number): Promise<SpanResult> {
    const { engine, schedule } = this.#options;
    const start = this.#position;
    const untilDue = this.#plan.untilDue(start);
    const batches = Math.min(this.#steps - start.step, untilDue.batches);
    const { milliseconds } = untilDue;
    const rates = schedule.span(batches);
    const waitedBefore = this.#waitedMs;
    engine.onProgress = ({ batches: done, sums, waitedMs }) =>
      this.#tell({
        waited: (waitedBefore + waitedMs) / (1000 * (seconds() - first.seconds)),
        phase: 'train',
        done: start.step + done,
        timed: start.step + done - first.step,
        sums,
        seconds: seconds() - first.seconds,
        learningRate: valueAt(rates.learningRate, done - 1),
      });
    const request = { batches, milliseconds, globalStep: start.globalStep, ...rates, sums: start.sums };
    const { scaler } = start;
    const result = await engine.call('train', { ...request, scaler });
    reportSkipped(scaler, result.scaler, this.#options.listener);
    if (result.ended === 'notFinite') throw this.#notFinite('loss', start.step + result.batches);
    this.#waitedMs += result.waitedMs;
    schedule.advance(result.batches);
    this.#position = {
      ...start,
      step: start.step + result.batches,
      globalStep: start.globalStep + result.batches,
      sums: result.sums,
      scaler: result.scaler,
      seconds: seconds(),
    };
    if (result.ended === 'starved') await this.#starve(result);
    return result;
  }

  async #validate(seconds: () => number): Promise<SpanResult> {
    const { engine, dataset, onPictures } = this.#options;
    const before = seconds();
    const batches = this.#valSteps;
    const onProgress = (done: number): void => {
      const { sums } = this.#position;
      this.#tell({ phase: 'validate', done, timed: done, sums, seconds: seconds() - before });
    };
    engine.onProgress = ({ batches: done }) => onProgress(done);
    const result = onPictures
      ? await predictQueued({ engine, samples: dataset.val, batches, top: 1, onPictures, onProgress })
      : await engine.call('validate', { batches });
    this.#waitedMs += result.waitedMs;
    if (result.ended === 'notFinite') throw this.#notFinite('validation loss', this.#steps);
    if (result.ended === 'starved') await this.#starve(result);
    return result;
  }

  /** Ends an epoch: figures, schedule, checkpoint. The rate of the next epoch is settled before the save. */
  async #close(validated: Sums | undefined, seconds: number, waited: number): Promise<void> {
    const { schedule, training, listener } = this.#options;
    const { epoch, sums, history, globalStep, scaler } = this.#position;
    const { epochs } = training.config;
    const train = meansOf(sums);
    const val = validated && meansOf(validated);
    const result: EpochResult = {
      epoch: epoch + 1,
      loss: finite(train.loss),
      trainAccuracy: finite(train.top1),
      valLoss: finite(val?.loss),
      valAccuracy: finite(val?.top1),
      valTop5: finite(val?.top5),
      learningRate: schedule.learningRate,
      ...(train.gradientNorm === undefined ? {} : { gradientNorm: finite(train.gradientNorm) }),
      seconds,
    };
    const metric = result.valAccuracy ?? result.trainAccuracy ?? 0;
    const isBest = !this.#position.best || metric > this.#position.best.accuracy;
    this.#position = {
      ...startPosition,
      epoch: epoch + 1,
      globalStep,
      scaler,
      history: [...history, result],
      best: isBest ? { epoch: epoch + 1, accuracy: metric } : this.#position.best,
    };
    schedule.endEpoch(metric);
    listener({ kind: 'epoch', epochs, steps: this.#steps, waited, ...result });
    if (schedule.learningRate !== result.learningRate) {
      listener({ kind: 'learningRate', from: result.learningRate, to: schedule.learningRate });
    }
    if (isBest || epoch + 1 === epochs || this.#plan.dueAfter(this.#position)) await this.#save(metric);
  }

  /** Left out where the one before is still being written: the training does not wait for the disk. */
  async #saveWithin(): Promise<void> {
    if (!this.#options.saver.busy) return this.#save();
    this.#plan.passed();
    if (this.#leftOut) return;
    this.#leftOut = true;
    const message = 'checkpoints come faster than the disk writes them: some are left out';
    this.#options.listener({ kind: 'warning', message });
  }

  /** @param accuracy of the epoch that ended here */
  async #save(accuracy?: number): Promise<void> {
    const { engine, saver } = this.#options;
    // one at a time: a slow disk slows the training rather than fill the memory
    await saver.settle();
    const position = this.#position;
    if (!this.#options.leads) {
      this.#savedAt = position;
      this.#plan.passed();
      return;
    }
    const metadata = checkpointMetadata(this.#info(position));
    const into = saver.takeMemory();
    const request = { metadata, globalStep: position.globalStep, into };
    const bytes = await engine.call('snapshot', request, into && [into]);
    if (!bytes) throw this.#notFinite('state of the network', position.step);
    const { epoch, step, globalStep } = position;
    saver.save({ bytes, position: { epoch, step, globalStep }, accuracy });
    this.#savedAt = position;
    this.#plan.passed();
  }

  async #saveBeforeLeaving(): Promise<void> {
    const { epoch, step } = this.#position;
    if (epoch !== this.#savedAt.epoch || step !== this.#savedAt.step) await this.#save();
    await this.#requireSaved();
  }

  /** @throws UserError when the newest checkpoint could not be written */
  async #requireSaved(): Promise<void> {
    const failure = await this.#options.saver.settle();
    if (!failure) return;
    throw new UserError(`the last checkpoint could not be written: ${failure.message}`, {
      hint: `What was saved before is still in ${this.#options.folder.checkpoints}. Make room and go on from there.`,
      cause: failure,
    });
  }

  /** The loader has failed: keeps what was learned, then says why. */
  async #starve({ reason = 'no more pictures come' }: SpanResult): Promise<never> {
    await this.#saveBeforeLeaving();
    throw new UserError(`the pictures can no longer be loaded: ${reason}`, {
      hint: 'What was learned so far is saved; the same command goes on from there.',
    });
  }

  #notFinite(what: string, step: number): UserError {
    const { folder, saver, position } = this.#options;
    const { epoch, step: batches, globalStep } = saver.saved ?? position;
    const place = batches > 0 ? `after step ${batches} of epoch ${epoch + 1}` : `after epoch ${epoch}`;
    const kept =
      globalStep > 0
        ? `The checkpoint ${place} is kept in ${folder.checkpoints}: go on from it`
        : 'Start again';
    return new UserError(
      `the ${what} became NaN or infinite in epoch ${this.#position.epoch + 1}, step ${step} of ${this.#steps}`,
      { hint: `${kept} with a smaller --lr.` },
    );
  }

  #tell(
    at: Pick<TrainStep, 'phase' | 'timed' | 'seconds' | 'waited'> & {
      done: number;
      sums: Sums;
      learningRate?: number;
    },
  ): void {
    const { listener, training, schedule } = this.#options;
    const { loss, top1, gradientNorm } = meansOf(at.sums);
    listener({
      kind: 'step',
      phase: at.phase,
      epoch: this.#position.epoch + 1,
      epochs: training.config.epochs,
      step: at.done,
      steps: at.phase === 'train' ? this.#steps : this.#valSteps,
      timed: at.timed,
      seconds: at.seconds,
      loss,
      trainAccuracy: top1,
      ...(gradientNorm === undefined ? {} : { gradientNorm }),
      learningRate: at.learningRate ?? schedule.learningRate,
      waited: at.waited,
    });
  }

  #info(position: Position): CheckpointInfo {
    const { training, dataset, preparation, schedule } = this.#options;
    const { config, model } = training;
    const { epoch, step, globalStep, sums, scaler, seconds, history, best } = position;
    const { mean, std } = runNormalization(config, dataset);
    return {
      model: { name: model.name, description: model.description },
      classes: [...dataset.classes],
      normalization: { mean: [...mean], std: [...std] },
      crop: { height: config.crop, width: config.crop },
      preparation: preparation ?? null,
      dataset: dataset.fingerprint,
      epoch,
      step,
      stepsPerEpoch: this.#steps,
      globalStep,
      seed: config.seed,
      config,
      schedule: schedule.save(),
      best,
      history: [...history],
      running: step > 0 ? { ...sums, seconds } : null,
      lossScaler: scaler ?? null,
      engine: this.#options.engineName,
      resnode: resnodeVersion,
    };
  }
}

function finite(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value;
}
