import { join } from 'node:path';
import type { EpochResult } from '../../train/checkpoint.js';
import type { TrainConfig } from '../../train/config.js';
import type { TrainEvent } from '../../train/events.js';
import { type Curve, curveEvents, curvesOf } from './curves.js';
import { EpochTimes } from './epoch-times.js';
import { EventFile } from './event-file.js';
import type { EpochCheckpoint, Extra, JudgedPicture } from './extra.js';
import { type BoardEvent, encodeGraphDef, type GraphDef, hparamsStatus } from './messages.js';
import { hyperParameters, settingsTable } from './settings.js';
import { hparams, text } from './summaries.js';

export interface BoardOptions {
  /** Where the events go. */
  readonly folder: string;
  readonly model: string;
  readonly graph: () => GraphDef;
  readonly config: TrainConfig;
  /** Training and validation pictures of one epoch. */
  readonly images: number;
  /** What the training goes on from: epochs finished, and their figures. */
  readonly resumed: { readonly epoch: number; readonly history: readonly EpochResult[] };
  /** What to show beside the curves. */
  readonly extras: readonly Extra[];
  readonly warn: (message: string) => void;
}

/**
 * Writes what TensorBoard shows of a training: nothing before a checkpoint is saved and nothing beyond it, so that a
 * training which goes on from a checkpoint draws no part of a curve twice. It listens, and never holds up or fails
 * the training: a failure to write is one warning, and the next checkpoint catches up.
 */
export class TensorBoard {
  readonly #options: BoardOptions;
  readonly #curves: ReadonlyArray<{ readonly curve: Curve; readonly file: EventFile }>;
  readonly #times = new EpochTimes();
  readonly #started = Date.now() / 1000;
  readonly #history: EpochResult[];
  #finished = false;
  #work: Promise<void> = Promise.resolve();
  #warned = false;

  constructor(options: BoardOptions) {
    const { folder, images, resumed } = options;
    this.#options = options;
    this.#curves = curvesOf({ images }).map((curve) => ({
      curve,
      file: new EventFile(join(folder, curve.folder)),
    }));
    this.#history = [...resumed.history];
    if (resumed.epoch > 0) this.#then(() => this.#write(resumed.epoch));
  }

  /** Takes what a validation finds of each picture; undefined where nobody wants to know. */
  get onPictures(): ((pictures: readonly JudgedPicture[]) => void) | undefined {
    const extras = this.#options.extras.filter((extra) => extra.notePictures);
    if (extras.length === 0) return undefined;
    return (pictures) => {
      for (const extra of extras) extra.notePictures?.(pictures);
    };
  }

  /** Takes the training's events. */
  readonly listen = (event: TrainEvent): void => {
    if (event.kind === 'epoch') {
      const { kind, epochs, steps, ...result } = event;
      this.#times.note(result.epoch);
      this.#history.push(result);
      for (const extra of this.#options.extras) extra.noteEpoch?.(result.epoch);
    } else if (event.kind === 'checkpoint') {
      const { path, best, epoch, step } = event;
      this.#then(() => this.#write(epoch));
      if (step === 0) this.#then(() => this.#show({ path, epoch, best }));
    }
  };

  /** The file of the training itself, with graph, settings and extras. */
  get #main(): EventFile | undefined {
    return this.#curves.find(({ curve }) => curve.folder === '')?.file;
  }

  /** Resolves when all is written. */
  async close(): Promise<void> {
    await this.#work;
  }

  /** One thing after the other. */
  #then(task: () => Promise<void>): void {
    this.#work = this.#work.then(task).catch((error: Error) => {
      if (!this.#warned) this.#options.warn(`cannot write for TensorBoard: ${error.message}`);
      this.#warned = true;
    });
  }

  /** Brings the files to what is known up to `epoch`. */
  async #write(epoch: number): Promise<void> {
    const history = this.#history.filter((result) => result.epoch <= epoch);
    const endOf = this.#times.of(history);
    const failures: unknown[] = [];
    for (const { curve, file } of this.#curves) {
      const events = curveEvents(curve, history, endOf);
      if (events.length === 0) continue;
      const head = curve.folder === '' ? () => this.#head() : () => [];
      const begun = file.begun;
      const bring = (): Promise<void> => this.#bring(file, events, head);
      // where somebody removed a file that was begun: all of it again
      await bring()
        .catch((error) => (begun ? bring() : Promise.reject(error)))
        .catch((error) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
    await this.#close(epoch);
  }

  /** Adds the events that a file lacks. */
  async #bring(file: EventFile, events: readonly BoardEvent[], head: () => BoardEvent[]): Promise<void> {
    if (!file.begun) {
      const upTo = file.renewed ? Number.POSITIVE_INFINITY : this.#options.resumed.epoch;
      await file.begin({ upTo, first: head() });
    }
    await file.append(events.filter(({ step }) => !file.steps.has(step)));
  }

  async #show(checkpoint: EpochCheckpoint): Promise<void> {
    const file = this.#main;
    const shown = await Promise.all(this.#options.extras.map((extra) => extra.values(checkpoint)));
    const value = shown.flat();
    if (value.length === 0 || !file?.begun) return;
    await file.append([{ wallTime: Date.now() / 1000, step: checkpoint.epoch, summary: { value } }]);
  }

  /** Graph and settings. */
  #head(): BoardEvent[] {
    const { model, graph, config } = this.#options;
    this.#finished = false;
    const at = { wallTime: this.#started, step: 0 };
    const start = { hparams: hyperParameters(model, config), startTimeSecs: this.#started };
    return [
      { ...at, graphDef: encodeGraphDef(graph()) },
      {
        ...at,
        summary: {
          value: [
            text('config', settingsTable({ name: model, ...config })),
            hparams('session_start_info', { sessionStartInfo: start }),
          ],
        },
      },
    ];
  }

  /** Tells the HParams page that the training has come to its end. */
  async #close(epoch: number): Promise<void> {
    const file = this.#main;
    if (epoch < this.#options.config.epochs || this.#finished || !file?.begun) return;
    const wallTime = Date.now() / 1000;
    const end = { status: hparamsStatus.success, endTimeSecs: wallTime };
    const value = [hparams('session_end_info', { sessionEndInfo: end })];
    await file.append([{ wallTime, step: 0, summary: { value } }]);
    this.#finished = true;
  }
}
