import type { BatchReader } from '../data/loader/batch-reader.js';
import type { Engine, EngineState, OptimizerSlot, Program } from '../engines/engine.js';
import { UserError } from '../errors.js';
import { elements, type Graph, shapeText, type Value } from '../graph/graph.js';
import { initialValues } from '../graph/initialize.js';
import { floatsOf, parseSafetensors, type Safetensors, SafetensorsWriter } from '../interop/safetensors.js';
import type { Initialization } from '../models/layers.js';
import type { Model } from '../models/model.js';
import type { Communicator } from '../parallel/communicator.js';
import { gatherRows } from './gather-rows.js';
import type { GradientPath } from './gradient-path.js';
import { addBatch, noSums, type Sums } from './metrics.js';
import type { Optimizer } from './optimizers/index.js';
import { type PackedPredictions, PredictionPacker } from './packed-predictions.js';
import type { ScalerState } from './precision/loss-scaler.js';
import type { Precision } from './precision/precision.js';
import { isHopeless } from './precision/report-skipped.js';
import { type SpanRates, valueAt } from './schedules/index.js';
import { type SpanProgress, type SpanRequest, type SpanResult, SpanRunner, type Step } from './span.js';
import { inferenceGraph, trainingGraph } from './training-graph.js';
import { TrainingStep } from './training-step.js';

export interface SessionOptions {
  readonly engine: Engine;
  readonly model: Model;
  readonly classes: number;
  /** Height of the pictures in pixels. */
  readonly height: number;
  readonly width: number;
  /** What the layers compute with. Default: fp32. */
  readonly precision?: Precision | undefined;
  /** Absent where the network only infers. */
  readonly training?: TrainingPart | undefined;
  /** Where batches come from; absent where they are handed over one by one. */
  readonly reader?: BatchReader | undefined;
  /** Shared memory; once its word is not 0, a span of steps ends after the step that runs. */
  readonly stop: Int32Array;
  /** Called at most ten times a second while a span of steps runs. */
  readonly onProgress?: (progress: SpanProgress) => void;
  /** The other replicas; alone by default. Each trains on its part of every batch. */
  readonly communicator?: Communicator | undefined;
}

export interface TrainingPart extends GradientPath {
  /** Of a whole step, over all replicas and micro-batches. */
  readonly batchSize: number;
  readonly optimizer: Optimizer;
  readonly labelSmoothing: number;
  readonly initialization: Initialization;
  /** Seed of the dropout. */
  readonly seed: number;
  /** Whether batch norms take their statistics over the pictures of all replicas. */
  readonly syncBatchNorm?: boolean | undefined;
}

export interface TrainSpan extends SpanRates {
  readonly batches: number;
  /** Pauses after the first batch that ends past this time. */
  readonly milliseconds?: number;
  /** Batches done in the whole run before. */
  readonly globalStep: number;
  /** Of the batches of the epoch before these. */
  readonly sums: Sums;
  /** What the loss scaler came to before; absent where it never ran. */
  readonly scaler?: ScalerState | undefined;
}

export interface TrainSpanResult extends SpanResult {
  /** What the loss scaler came to. */
  readonly scaler?: ScalerState | undefined;
}

export interface ClassifyResult extends SpanResult {
  readonly pictures: PackedPredictions;
}

const trackedSuffix = '.num_batches_tracked';

/** One model on one engine: its programs on one state. Lives where it may block, in the engine thread. */
export class EngineSession {
  readonly #options: SessionOptions;
  readonly #state: EngineState;
  readonly #training: Program | undefined;
  readonly #inference = new Map<number, Program>();
  readonly #graph: Graph | undefined;
  readonly #spans: SpanRunner | undefined;
  readonly #step: TrainingStep | undefined;
  #stepped = false;

  /** @throws EngineError of the engine; every replica makes its own, and all train from the same weights */
  constructor(options: SessionOptions) {
    this.#options = options;
    const { engine, model, classes, height, width, precision, training, reader, communicator } = options;
    this.#spans = reader && new SpanRunner({ ...options, reader });
    this.#state = engine.createState();
    if (!training) {
      this.#program(1);
      return;
    }
    const replicas = communicator?.size ?? 1;
    const part = { ...training, precision, scaled: precision === 'fp16', replicas };
    const batchSize = training.batchSize / replicas / (training.accumulate ?? 1);
    const graph = trainingGraph(model, { ...part, batchSize, classes, height, width });
    const program = engine.compile(graph, { state: this.#state, ...(communicator ? { communicator } : {}) });
    this.#graph = graph;
    this.#training = program;
    // what is dropped at one replica is not what is dropped at the next
    const seed = training.seed + (communicator?.rank ?? 0) * 0x9e3779b1;
    this.#step = new TrainingStep({ ...part, seed, program, graph, classes });
  }

  /** Bytes of the training program's arena. */
  get arena(): number {
    return this.#training?.memory.arena ?? 0;
  }

  /** Gives parameters, statistics and the optimizer's state their first values. */
  initialize({ seed }: { seed: number }): void {
    if (!this.#graph) throw new Error('the session was made without training');
    for (const [name, values] of initialValues(this.#graph, seed)) this.#state.write(name, values);
    for (const [name, slot] of this.#slotted()) {
      this.#state.write(name, new Float32Array(this.#elements(name)), slot);
    }
  }

  /**
   * Takes parameters, statistics and (where asked for) the optimizer's state from a checkpoint.
   * @throws UserError naming the first tensor that is missing or has another shape
   */
  restore({ bytes, path, optimizer }: { bytes: Uint8Array; path: string; optimizer: boolean }): void {
    const { tensors } = parseSafetensors(bytes);
    const slotted = [...this.#slotted()];
    for (const value of this.#state.values.values()) requireTensor(tensors, value.name, value, path);
    for (const [name, slot] of optimizer ? slotted : []) {
      requireTensor(tensors, slotName(name, slot), this.#value(name), path);
    }
    for (const name of this.#state.values.keys()) this.#state.write(name, floats(tensors, name));
    for (const [name, slot] of slotted) {
      const values = optimizer
        ? floats(tensors, slotName(name, slot))
        : new Float32Array(this.#elements(name));
      this.#state.write(name, values, slot);
    }
  }

  /** Trains on the next batches of the loader. */
  train(span: TrainSpan): TrainSpanResult {
    const step = this.#step;
    if (!step) throw new Error('the session was made without training');
    let { scaler } = span;
    const result = this.#span(span, ({ images, labels, labelled }, done, sums) => {
      // a batch of unreadable pictures teaches nothing
      if (labelled === 0) return sums;
      const after = step.run(
        { images, labels, labelled },
        {
          ...{ sums, scaler, step: span.globalStep + done + 1 },
          learningRate: valueAt(span.learningRate, done),
          momentum: span.momentum === undefined ? Number.NaN : valueAt(span.momentum, done),
        },
      );
      this.#stepped = true;
      scaler = after?.scaler;
      return isHopeless(scaler) ? undefined : after?.sums;
    });
    return { ...result, scaler };
  }

  /** Measures loss and accuracy on the next batches of the loader. */
  validate({ batches }: { batches: number }): SpanResult {
    const { classes } = this.#options;
    this.#shareStatistics();
    return this.#span({ batches, sums: noSums }, ({ images, labels, count }, _, sums) => {
      if (count === 0) return sums;
      const program = this.#program(count);
      program.run({ image: images });
      const after = addBatch(sums, { logits: program.read('logits'), labels, classes });
      return Number.isFinite(after.loss) ? after : undefined;
    });
  }

  /**
   * Measures as `validate` does, and keeps what the network says of each picture.
   * @param request.sums of the batches before these
   * @param request.top classes to keep for each picture
   */
  classify({ batches, sums, top }: { batches: number; sums: Sums; top: number }): ClassifyResult {
    const { classes, communicator } = this.#options;
    const packer = new PredictionPacker({ classes, top });
    this.#shareStatistics();
    const span = this.#span({ batches, sums }, ({ images, labels, count, first, total }, _, before) => {
      const logits = count === 0 ? new Float32Array() : this.infer({ images, count });
      const after = addBatch(before, { logits, labels, classes });
      const rows = gatherRows(communicator, { rows: logits, first, total, width: classes });
      const ids = gatherRows(communicator, { rows: labels, first, total, width: 1 });
      if (!Number.isFinite(after.loss)) return undefined;
      packer.add({ logits: rows, labels: Int32Array.from(ids) });
      return after;
    });
    return { ...span, pictures: packer.finish() };
  }

  /**
   * Logits of pictures.
   * @param request.images [count, 3, height, width], normalised
   * @returns [count, classes]
   */
  infer({ images, count }: { images: Float32Array; count: number }): Float32Array {
    const program = this.#program(count);
    program.run({ image: images });
    return program.read('logits');
  }

  /**
   * The whole state as a .safetensors file.
   * @param request.globalStep written as each batch norm's `num_batches_tracked`
   * @param request.into memory of an earlier snapshot, to use again: touching new memory takes longer than copying
   * @returns the file without its checksum, see `addChecksum`; undefined when a number in it is NaN or infinite
   */
  snapshot(request: {
    metadata: Record<string, string>;
    globalStep: number;
    into?: ArrayBuffer | undefined;
  }): Uint8Array<ArrayBuffer> | undefined {
    const values = [...this.#state.values.values()];
    const tracked = values
      .filter(({ name }) => name.endsWith('.running_mean'))
      .map(({ name }) => name.replace(/\.running_mean$/, trackedSuffix));
    const slotted = [...this.#slotted()];
    const file = new SafetensorsWriter(
      [
        ...tracked.map((name) => ({ name, dtype: 'I64', shape: [] }) as const),
        ...values.map(({ name, shape }) => ({ name, dtype: 'F32', shape }) as const),
        ...slotted.map(
          ([name, slot]) =>
            ({ name: slotName(name, slot), dtype: 'F32', shape: this.#value(name).shape }) as const,
        ),
      ],
      request.metadata,
      { into: request.into },
    );
    for (const name of tracked) file.longs(name)[0] = BigInt(request.globalStep);
    for (const { name } of values) {
      if (!allFinite(this.#state.read(name, undefined, file.floats(name)))) return undefined;
    }
    for (const [name, slot] of slotted) {
      if (!allFinite(this.#state.read(name, slot, file.floats(slotName(name, slot))))) return undefined;
    }
    return file.finish({ checksum: false });
  }

  /**
   * The gradients of the last batch as a .safetensors file, under the names of their parameters.
   * @returns undefined where no batch has been trained on yet
   */
  gradients(_: Record<never, never>): Uint8Array<ArrayBuffer> | undefined {
    if (!this.#stepped) return undefined;
    const parameters = [...this.#state.values.values()].filter(({ role }) => role === 'parameter');
    const file = new SafetensorsWriter(
      parameters.map(({ name, shape }) => ({ name, dtype: 'F32', shape })),
      {},
    );
    for (const { name } of parameters) file.floats(name).set(this.#state.read(name, 'gradient'));
    return file.finish();
  }

  /** Closes programs and state; the engine is its owner's. */
  close(): void {
    this.#training?.close();
    for (const program of this.#inference.values()) program.close();
    this.#state.close();
  }

  /** Runs `step` on batch after batch, with the other replicas. */
  #span(request: SpanRequest, step: Step): SpanResult {
    if (!this.#spans) throw new Error('the session was made without a loader');
    return this.#spans.run(request, step);
  }

  /** Gives the running statistics of the first replica to all: each has gathered those of its own pictures. */
  #shareStatistics(): void {
    const { communicator } = this.#options;
    if (!communicator || communicator.size === 1) return;
    for (const { name, role } of this.#state.values.values()) {
      if (role !== 'statistic') continue;
      const values = this.#state.read(name);
      communicator.broadcast(values, 0);
      if (communicator.rank > 0) this.#state.write(name, values);
    }
  }

  #program(batchSize: number): Program {
    const known = this.#inference.get(batchSize);
    if (known) return known;
    const { engine, model, classes, height, width, precision } = this.#options;
    const graph = inferenceGraph(model, { batchSize, classes, height, width, precision });
    const program = engine.compile(graph, { state: this.#state });
    this.#inference.set(batchSize, program);
    return program;
  }

  /** What the optimizer keeps, parameter by parameter. */
  *#slotted(): Generator<[name: string, slot: OptimizerSlot]> {
    const slots = this.#options.training?.optimizer.slots ?? [];
    for (const slot of slots) {
      for (const { name, role } of this.#state.values.values()) if (role === 'parameter') yield [name, slot];
    }
  }

  #value(name: string): Value {
    const value = this.#state.values.get(name);
    if (!value) throw new Error(`the state holds no '${name}'`);
    return value;
  }

  #elements(name: string): number {
    return elements(this.#value(name));
  }
}

function slotName(parameter: string, slot: OptimizerSlot): string {
  return `optimizer.${slot}.${parameter}`;
}

function requireTensor(
  tensors: Safetensors['tensors'],
  name: string,
  expected: { readonly shape: readonly number[] },
  path: string,
): void {
  const found = tensors.get(name);
  if (!found) throw new UserError(`the checkpoint ${path} lacks the tensor '${name}'`);
  if (found.dtype === 'F32' && found.shape.join() === expected.shape.join()) return;
  throw new UserError(
    `tensor '${name}' of the checkpoint ${path} is ${shapeText(found)} ${found.dtype}, the model has ${shapeText(expected)} F32`,
    { hint: 'It was made by another model.' },
  );
}

function floats(tensors: Safetensors['tensors'], name: string): Float32Array {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`no tensor '${name}'`);
  return floatsOf(tensor);
}

/** False when a number is NaN or infinite. */
function allFinite(values: Float32Array): boolean {
  // 0 x is 0 for every number but those, and NaN spreads
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += 0 * (values[index] as number);
  return sum === 0;
}
