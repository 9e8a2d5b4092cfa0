import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { BatchReader } from '../data/loader/batch-reader.js';
import type { BatchRing } from '../data/loader/ring.js';
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
  'initialize' | 'restore' | 'train' | 'validate' | 'infer' | 'snapshot'
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

async function serve(port: MessagePort, data: EngineThreadData): Promise<void> {
  const post = (message: EngineMessage, transfer: ArrayBuffer[] = []): void =>
    port.postMessage(message, transfer);
  const engine = await engines[data.engine]({
    ...(data.threads === undefined ? {} : { threads: data.threads }),
    onProgress: (text) => post({ kind: 'message', text }),
  });
  const session = new EngineSession({
    engine,
    model: createModel(data.model),
    classes: data.classes,
    height: data.height,
    width: data.width,
    training: data.training && { ...data.training, optimizer: new Optimizer(data.training.optimizer) },
    reader: data.ring && new BatchReader(data.ring),
    stop: new Int32Array(data.stop),
    onProgress: (progress) => post({ kind: 'progress', progress }),
  });
  port.on('message', (message: EngineRequest) => {
    if (message.call === 'close') {
      session.close();
      engine.close();
      port.close();
      return;
    }
    const { id, call, request } = message;
    try {
      const result: unknown = (session[call] as (request: unknown) => unknown)(request);
      post({ kind: 'reply', id, result }, ownBuffer(result));
    } catch (error) {
      post({ kind: 'error', id, error: errorData(error) });
    }
  });
  post({ kind: 'ready', arena: session.arena });
}

/** The memory of a result that is one array: handed over, not copied. */
function ownBuffer(result: unknown): ArrayBuffer[] {
  if (!(result instanceof Uint8Array || result instanceof Float32Array)) return [];
  const { buffer, byteLength } = result;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}

const port = parentPort;
if (port) {
  serve(port, workerData as EngineThreadData).catch((error: unknown) => {
    port.postMessage({ kind: 'failed', error: errorData(error) } satisfies EngineMessage);
    port.close();
  });
}
