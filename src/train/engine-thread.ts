import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { BatchReader, type ReaderShare } from '../data/loader/batch-reader.js';
import type { BatchRing } from '../data/loader/ring.js';
import type { Engine } from '../engines/engine.js';
import { type EngineName, engines } from '../engines/registry.js';
import { UserError } from '../errors.js';
import { createModel } from '../models/index.js';
import type { Initialization } from '../models/layers.js';
import type { ModelDescription } from '../models/model.js';
import type { Communicator } from '../parallel/communicator.js';
import { HierarchicalCommunicator } from '../parallel/hierarchy.js';
import { MeasuredCommunicator } from '../parallel/measured.js';
import { failMeeting, type MeetingPlace } from '../parallel/meeting.js';
import type { Launch } from '../parallel/mpi/launch.js';
import { type Compared, MpiRank } from '../parallel/mpi/rank.js';
import { joinGpus } from '../parallel/nccl/join.js';
import type { NcclTable } from '../parallel/nccl/table.js';
import { SharedMemoryCommunicator } from '../parallel/shared-memory.js';
import { EngineSession } from './engine-session.js';
import type { GradientPath } from './gradient-path.js';
import { Optimizer, type OptimizerSpec } from './optimizers/index.js';
import type { Precision } from './precision/precision.js';
import type { SpanProgress } from './span.js';

/** What an engine is opened with; plain data. */
export interface EngineThreadData {
  readonly engine: EngineName;
  /** In PyTorch's words. Default: `cpu`. */
  readonly device?: string | undefined;
  readonly threads?: number | undefined;
  readonly model: ModelDescription;
  readonly classes: number;
  readonly height: number;
  readonly width: number;
  readonly precision?: Precision | undefined;
  readonly training?:
    | (GradientPath & {
        readonly batchSize: number;
        readonly optimizer: OptimizerSpec;
        readonly labelSmoothing: number;
        readonly initialization: Initialization;
        readonly seed: number;
        readonly syncBatchNorm?: boolean | undefined;
      })
    | undefined;
  readonly ring?: BatchRing | undefined;
  readonly group?: GroupPlace | undefined;
}

/** Which of several replicas a thread runs. */
export interface GroupPlace {
  /** Where it meets the others of this process; absent where it is the only one. */
  readonly place?: MeetingPlace | undefined;
  /** Where those on GPUs note what has to be ended when one fails; as `place`. */
  readonly nccl?: NcclTable | undefined;
  /** Among those of this process. */
  readonly replica: number;
  /** This process among those that share the training. Default: the only one. */
  readonly processes?: { readonly rank: number; readonly size: number } | undefined;
}

/** What the thread is started with; the rest comes with `open`. */
export interface EngineThreadStart {
  /** One Int32, see `SessionOptions.stop`. */
  readonly stop: SharedArrayBuffer;
  /** One Int32, no longer 0 when the thread has closed everything native. */
  readonly ended: SharedArrayBuffer;
}

/** What may be called from another thread; each takes one plain request. */
export type EngineCalls = Pick<
  EngineSession,
  'initialize' | 'restore' | 'train' | 'validate' | 'classify' | 'infer' | 'snapshot' | 'gradients'
>;

/** What may be called before there is a session, too. */
export interface ThreadCalls {
  /** Becomes a rank of an MPI job; the first call of such a thread. */
  join(launch: Launch): void;
  /** See `MpiRank.exchange`. */
  exchange(request: { readonly bytes: Uint8Array | undefined }): Uint8Array;
  /** See `MpiRank.gather`. */
  gather(request: { readonly text: string }): string[];
  /** See `MpiRank.compare`. */
  compare(request: { readonly text: string }): Compared;
  /** Ends all ranks. */
  abort(request: { readonly code: number }): void;
  /** Closes the engine; the thread stays what it is, for the next `open`. */
  leave(request: Record<never, never>): void;
  /** Gets the engine and compiles the graph. */
  open(data: EngineThreadData): Promise<void>;
}

export type AllCalls = EngineCalls & ThreadCalls;
export type CallName = keyof EngineCalls;

export type EngineRequest =
  | { readonly id: number; readonly call: keyof AllCalls; readonly request: unknown }
  | { readonly call: 'close' };

/** An error as plain data: its class does not survive the way between threads. */
export interface ErrorData {
  readonly name: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly exitCode?: number;
  readonly stack?: string | undefined;
}

export type EngineMessage =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'progress'; readonly progress: SpanProgress }
  | { readonly kind: 'reply'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: ErrorData };

function errorData(error: unknown): ErrorData {
  if (error instanceof UserError) {
    return { name: 'UserError', message: error.message, hint: error.hint, exitCode: error.exitCode };
  }
  if (error instanceof Error) return { name: error.name, message: error.message, stack: error.stack };
  return { name: 'Error', message: String(error) };
}

/** Runs the session's functions as they are called from the other side of the port. */
class EngineServer implements ThreadCalls {
  readonly #port: MessagePort;
  readonly #stop: Int32Array;
  readonly #ended: Int32Array;
  #engine: Engine | undefined;
  #session: EngineSession | undefined;
  #communicator: Communicator | undefined;
  #group: GroupPlace | undefined;
  #rank: MpiRank | undefined;

  constructor(port: MessagePort, { stop, ended }: EngineThreadStart) {
    this.#port = port;
    this.#stop = new Int32Array(stop);
    this.#ended = new Int32Array(ended);
    port.on('message', (message: EngineRequest) => {
      if (message.call === 'close') this.#end();
      else void this.#answer(message);
    });
  }

  join(launch: Launch): void {
    this.#rank = MpiRank.join(launch);
  }

  exchange({ bytes }: { bytes: Uint8Array | undefined }): Uint8Array<ArrayBuffer> {
    return this.#joined().exchange(bytes);
  }

  gather({ text }: { text: string }): string[] {
    return this.#joined().gather(text);
  }

  compare({ text }: { text: string }): Compared {
    return this.#joined().compare(text);
  }

  abort({ code }: { code: number }): void {
    this.#joined().abort(code);
  }

  leave(): void {
    this.#session?.close();
    this.#communicator?.close();
    this.#engine?.close();
    this.#session = undefined;
    this.#communicator = undefined;
    this.#engine = undefined;
    this.#group = undefined;
  }

  async open(data: EngineThreadData): Promise<void> {
    this.#group = data.group;
    const host = makeCommunicator(data.group, this.#rank?.communicator);
    this.#engine = await engines[data.engine]({
      ...(data.threads === undefined ? {} : { threads: data.threads }),
      ...(data.device === undefined ? {} : { device: data.device }),
      onProgress: (text) => this.#post({ kind: 'message', text }),
    });
    this.#communicator = host && new MeasuredCommunicator(this.#joinGpus(host, this.#engine));
    this.#session = new EngineSession({
      engine: this.#engine,
      model: createModel(data.model),
      classes: data.classes,
      height: data.height,
      width: data.width,
      precision: data.precision,
      training: data.training && { ...data.training, optimizer: new Optimizer(data.training.optimizer) },
      reader: data.ring && new BatchReader(data.ring, shareOf(this.#communicator, data.group)),
      communicator: this.#communicator,
      stop: this.#stop,
      onProgress: (progress) => this.#post({ kind: 'progress', progress }),
    });
  }

  #joinGpus(host: Communicator, { gpu }: Engine): Communicator {
    const { nccl: table, replica = 0 } = this.#group ?? {};
    return joinGpus({ host, gpu, table, replica, say: (text) => this.#post({ kind: 'message', text }) });
  }

  async #answer({ id, call, request }: Exclude<EngineRequest, { call: 'close' }>): Promise<void> {
    try {
      const owner: EngineServer | EngineSession | undefined = isOwn(call) ? this : this.#session;
      if (!owner) throw new Error('the engine has not started yet');
      const work = owner[call as keyof typeof owner] as unknown as (request: unknown) => unknown;
      const result = await work.call(owner, request);
      this.#post({ kind: 'reply', id, result }, ownBuffer(result));
    } catch (error) {
      this.#leaveGroup(error);
      this.#post({ kind: 'error', id, error: errorData(error) });
    }
  }

  #joined(): MpiRank {
    if (!this.#rank) throw new Error('the engine thread is no rank of an MPI job');
    return this.#rank;
  }

  /** The others would wait for this replica for ever. */
  #leaveGroup(error: unknown): void {
    const { place, replica } = this.#group ?? {};
    if (place) failMeeting(place, `replica ${replica} has failed: ${errorData(error).message}`);
  }

  /** Ends this thread, also while the engine is still being got. */
  #end(): void {
    this.leave();
    this.#rank?.end();
    Atomics.store(this.#ended, 0, 1);
    Atomics.notify(this.#ended, 0);
    this.#port.close();
    // of a worker thread, this ends the thread alone
    process.exit(0);
  }

  #post(message: EngineMessage, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

const own: ReadonlySet<keyof AllCalls> = new Set<keyof ThreadCalls>([
  'join',
  'exchange',
  'gather',
  'compare',
  'abort',
  'leave',
  'open',
]);

function isOwn(call: keyof AllCalls): call is keyof ThreadCalls {
  return own.has(call);
}

/** The other replicas, those of this process and those of others; undefined for one that is alone. */
function makeCommunicator(
  group: GroupPlace | undefined,
  leader: Communicator | undefined,
): Communicator | undefined {
  const { place, replica = 0, processes } = group ?? {};
  const local = place && new SharedMemoryCommunicator(place, replica);
  if (!processes) return local;
  return local ? new HierarchicalCommunicator({ local, processes, leader }) : leader;
}

function shareOf(communicator: Communicator | undefined, group: GroupPlace | undefined): ReaderShare {
  const { rank: index = 0, size: of = 1 } = communicator ?? {};
  return { index, of, here: group?.place?.size ?? 1 };
}

/** The memory of a result that is one array, and has it for itself: handed over, not copied. */
function ownBuffer(result: unknown): ArrayBuffer[] {
  if (!(result instanceof Uint8Array || result instanceof Float32Array)) return [];
  const { buffer, byteLength } = result;
  // a snapshot's memory has room left over
  const own = result instanceof Uint8Array || buffer.byteLength === byteLength;
  return own && buffer instanceof ArrayBuffer ? [buffer] : [];
}

if (parentPort) new EngineServer(parentPort, workerData as EngineThreadStart);
