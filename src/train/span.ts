import type { Batch, BatchReader } from '../data/loader/batch-reader.js';
import type { Communicator } from '../parallel/communicator.js';
import { shareText } from '../parallel/share-text.js';
import { noSums, type Sums } from './metrics.js';
import { countLabelled } from './micro-batches.js';

export interface SpanProgress {
  /** Batches done of the span. */
  readonly batches: number;
  readonly sums: Sums;
  /** Milliseconds in which no batch was there. */
  readonly waitedMs: number;
}

export interface SpanResult extends SpanProgress {
  /**
   * `paused`: the time was up; `starved`: no more batches came; `notFinite`: the last batch's loss was NaN or
   * infinite.
   */
  readonly ended: 'done' | 'paused' | 'stopped' | 'starved' | 'notFinite';
  /** Why it starved. */
  readonly reason?: string;
  /** Milliseconds that went into communication with other replicas, waiting for them included. */
  readonly exchangedMs?: number;
}

export interface SpanRequest {
  readonly batches: number;
  /** Pauses after the first batch that ends past this time. */
  readonly milliseconds?: number | undefined;
  /** Of the batches before these. */
  readonly sums: Sums;
}

export interface SpanOptions {
  readonly reader: BatchReader;
  /** Shared memory; once its word is not 0, a span of steps ends after the step that runs. */
  readonly stop: Int32Array;
  /** Called at most ten times a second while a span of steps runs. */
  readonly onProgress?: ((progress: SpanProgress) => void) | undefined;
  /** Who shares the steps; alone by default. */
  readonly communicator?: Communicator | undefined;
}

/** A replica's part of a batch. */
export interface StepBatch extends Batch {
  /** Labelled pictures of the whole batch. */
  readonly labelled: number;
}

/** Runs on a batch and adds it to the sums; undefined for a loss that is no number. */
export type Step = (batch: StepBatch, done: number, sums: Sums) => Sums | undefined;

const progressInterval = 100;

/** Runs steps on batch after batch. Replicas agree before each of them, so that all end at the same one. */
export class SpanRunner {
  readonly #options: SpanOptions;
  /** Taken for a step that was then not run. */
  #held: Batch | undefined;

  constructor(options: SpanOptions) {
    this.#options = options;
  }

  run(request: SpanRequest, step: Step): SpanResult {
    const { communicator } = this.#options;
    return communicator && communicator.size > 1
      ? this.#together(communicator, request, step)
      : this.#alone(request, step);
  }

  #alone(
    { batches, sums: first, milliseconds = Number.POSITIVE_INFINITY }: SpanRequest,
    step: Step,
  ): SpanResult {
    const { reader } = this.#options;
    let sums = first;
    let waitedMs = 0;
    const clock = this.#clock();
    for (let done = 0; done < batches; done++) {
      const { batch, reason } = this.#take();
      if (reason !== undefined) return { batches: done, sums, waitedMs, ended: 'starved', reason };
      if (!batch) return { batches: done, sums, waitedMs, ended: 'stopped' };
      waitedMs += batch.waitedMs;
      const after = step({ ...batch, labelled: countLabelled(batch.labels) }, done, sums);
      reader.release(batch);
      if (!after) return { batches: done + 1, sums, waitedMs, ended: 'notFinite' };
      sums = after;
      clock.report({ batches: done + 1, sums, waitedMs });
      if (clock.elapsed() >= milliseconds && done + 1 < batches) {
        return { batches: done + 1, sums, waitedMs, ended: 'paused' };
      }
    }
    return { batches, sums, waitedMs, ended: 'done' };
  }

  #together(
    communicator: Communicator,
    { batches, sums: first, milliseconds = Number.POSITIVE_INFINITY }: SpanRequest,
    step: Step,
  ): SpanResult {
    const { reader } = this.#options;
    const clock = this.#clock();
    let sums = first;
    let waitedMs = 0;
    /** What the last step added here; undefined when its loss was no number. */
    let own: Sums | undefined = noSums;
    const spentBefore = communicator.spentMs ?? 0;
    for (let done = 0; ; done++) {
      const { batch, reason } = done < batches ? this.#take() : { batch: undefined };
      const agreed = agree(communicator, {
        sums: own,
        labelled: batch ? countLabelled(batch.labels) : 0,
        stopped: done < batches && !batch && reason === undefined,
        starved: reason !== undefined,
        // one clock decides
        paused: communicator.rank === 0 && done > 0 && clock.elapsed() >= milliseconds,
      });
      sums = added(sums, agreed.sums);
      this.#held = batch;
      const at = { batches: done, sums, waitedMs, exchangedMs: (communicator.spentMs ?? 0) - spentBefore };
      if (agreed.notFinite) return { ...at, ended: 'notFinite' };
      if (done > 0) clock.report(at);
      if (done === batches) return { ...at, ended: 'done' };
      if (agreed.starved) {
        return { ...at, ended: 'starved', reason: shareText(communicator, reason) ?? 'no pictures come' };
      }
      if (agreed.stopped || !batch) return { ...at, ended: 'stopped' };
      if (agreed.paused) return { ...at, ended: 'paused' };
      waitedMs += batch.waitedMs;
      own = step({ ...batch, labelled: agreed.labelled }, done, noSums);
      this.#held = undefined;
      reader.release(batch);
    }
  }

  /** @returns no batch when it was stopped, and a reason when none will come */
  #take(): { batch: Batch | undefined; reason?: string } {
    const { reader, stop } = this.#options;
    const held = this.#held;
    this.#held = undefined;
    if (Atomics.load(stop, 0) !== 0) return { batch: undefined };
    if (held) return { batch: { ...held, waitedMs: 0 } };
    try {
      return { batch: reader.take({ stop }) };
    } catch (error) {
      return { batch: undefined, reason: (error as Error).message };
    }
  }

  #clock(): { elapsed(): number; report(progress: SpanProgress): void } {
    const started = performance.now();
    let reported = started;
    return {
      elapsed: () => performance.now() - started,
      report: (progress) => {
        const now = performance.now();
        if (now - reported < progressInterval) return;
        reported = now;
        this.#options.onProgress?.(progress);
      },
    };
  }
}

/** What each member brings to the meeting before a step. */
interface Before {
  readonly sums: Sums | undefined;
  readonly labelled: number;
  readonly stopped: boolean;
  readonly starved: boolean;
  readonly paused: boolean;
}

interface Agreed extends Before {
  readonly sums: Sums;
  readonly notFinite: boolean;
}

/** One sum of a few numbers: what one member wants, all do. */
function agree(communicator: Communicator, before: Before): Agreed {
  const { images, loss, top1, top5 } = before.sums ?? noSums;
  const flags = [before.sums === undefined, before.stopped, before.starved, before.paused].map(Number);
  const numbers = Float64Array.of(images, loss, top1, top5, before.labelled, ...flags);
  communicator.allReduce(numbers);
  const [allImages = 0, allLoss = 0, allTop1 = 0, allTop5 = 0, labelled = 0, ...said] = numbers;
  const [notFinite, stopped, starved, paused] = said.map((count) => count > 0);
  return {
    // the norm is that of the gradients' sum, which all members have
    sums: { ...before.sums, images: allImages, loss: allLoss, top1: allTop1, top5: allTop5 },
    labelled,
    notFinite: notFinite === true,
    stopped: stopped === true,
    starved: starved === true,
    paused: paused === true,
  };
}

function added(a: Sums, b: Sums): Sums {
  return {
    images: a.images + b.images,
    loss: a.loss + b.loss,
    top1: a.top1 + b.top1,
    top5: a.top5 + b.top5,
    ...(b.norm === undefined ? {} : { norm: (a.norm ?? 0) + b.norm, norms: (a.norms ?? 0) + (b.norms ?? 0) }),
  };
}
