import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { BatchReader } from '../data/loader/batch-reader.js';
import type { BatchRing } from '../data/loader/ring.js';
import type { Engine } from '../engines/engine.js';
import { type EngineName, engines } from '../engines/registry.js';
import { UserError } from '../errors.js';
import { createModel } from '../models/index.js';
import type { Initialization } from '../models/layers.js';
import type { ModelDescription } from '../models/model.js';
import { EngineSession, type SpanProgress } from './engine-session.js';
import { Optimizer, type OptimizerSpec } from './optimizers/index.js';

/** What the engine thread is started with; plain data. */
export interface EngineThreadData {
  readonly engine: EngineName;
  readonly device?: string | undefined;
  readonly threads?: number | undefined;
  readonly model: ModelDescription;
  readonly classes: number;
  readonly height: number;
  readonly width: number;
  readonly training?:
    | {
        readonly batchSize: number;
        readonly optimizer: OptimizerSpec;
        readonly labelSmoothing: number;
        readonly initialization: Initialization;
        readonly seed: number;
      }
    | undefined;
  readonly ring?: BatchRing | undefined;
  /** One Int32, see `SessionOptions.stop`. */
  readonly stop: SharedArrayBuffer;
}

/** What may be called from another thread; each takes one plain request. */
export type EngineCalls = Pick<
  EngineSession,
  'initialize' | 'restore' | 'train' | 'validate' | 'classify' | 'infer' | 'snapshot' | 'gradients'
>;

export type CallName = keyof EngineCalls;

export type EngineRequest =
  | { readonly id: number; readonly call: CallName; readonly request: unknown }
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
  | { readonly kind: 'ready'; readonly arena: number }
  | { readonly kind: 'failed'; readonly error: ErrorData }
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
class EngineServer {
  readonly #port: MessagePort;
  readonly #data: EngineThreadData;
  #engine: Engine | undefined;
  #session: EngineSession | undefined;

  constructor(port: MessagePort, data: EngineThreadData) {
    this.#port = port;
    this.#data = data;
    port.on('message', (message: EngineRequest) => this.#receive(message));
  }

  async start(): Promise<void> {
    const data = this.#data;
    this.#engine = await engines[data.engine]({
      ...(data.threads === undefined ? {} : { threads: data.threads }),
      ...(data.device === undefined ? {} : { device: data.device }),
      onProgress: (text) => this.#post({ kind: 'message', text }),
    });
    this.#session = new EngineSession({
      engine: this.#engine,
      model: createModel(data.model),
      classes: data.classes,
      height: data.height,
      width: data.width,
      training: data.training && { ...data.training, optimizer: new Optimizer(data.training.optimizer) },
      reader: data.ring && new BatchReader(data.ring),
      stop: new Int32Array(data.stop),
      onProgress: (progress) => this.#post({ kind: 'progress', progress }),
    });
    this.#post({ kind: 'ready', arena: this.#session.arena });
  }

  fail(error: unknown): void {
    this.#post({ kind: 'failed', error: errorData(error) });
    this.#end();
  }

  #receive(message: EngineRequest): void {
    if (message.call === 'close') {
      this.#end();
      return;
    }
    const { id, call, request } = message;
    try {
      if (!this.#session) throw new Error('the engine has not started yet');
      const result: unknown = (this.#session[call] as (request: unknown) => unknown).call(
        this.#session,
        request,
      );
      this.#post({ kind: 'reply', id, result }, ownBuffer(result));
    } catch (error) {
      this.#post({ kind: 'error', id, error: errorData(error) });
    }
  }

  /** Ends this thread, also while the engine is still being got. */
  #end(): void {
    this.#session?.close();
    this.#engine?.close();
    this.#port.close();
    // of a worker thread, this ends the thread alone
    process.exit(0);
  }

  #post(message: EngineMessage, transfer: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

/** The memory of a result that is one array, and has it for itself: handed over, not copied. */
function ownBuffer(result: unknown): ArrayBuffer[] {
  if (!(result instanceof Uint8Array || result instanceof Float32Array)) return [];
  const { buffer, byteLength } = result;
  // a snapshot's memory has room left over
  const own = result instanceof Uint8Array || buffer.byteLength === byteLength;
  return own && buffer instanceof ArrayBuffer ? [buffer] : [];
}

if (parentPort) {
  const server = new EngineServer(parentPort, workerData as EngineThreadData);
  server.start().catch((error: unknown) => server.fail(error));
}
