import { Worker } from 'node:worker_threads';
import { EngineError } from '../engines/engine.js';
import { UserError } from '../errors.js';
import { PeerFailure } from '../parallel/communicator.js';
import { workerEntry } from '../worker-entry.js';
import type {
  CallName,
  EngineCalls,
  EngineMessage,
  EngineRequest,
  EngineThreadData,
  ErrorData,
} from './engine-thread.js';
import type { SpanProgress } from './span.js';

export type EngineClientOptions = Omit<EngineThreadData, 'stop'> & {
  /** What the engine has to say while it starts, e.g. that its library is being fetched. */
  onMessage?: (text: string) => void;
  /** Told once, when the thread can do no more. */
  onFailure?: (error: Error) => void;
};

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** The engine thread as the main thread sees it. Nothing here blocks. */
export class EngineClient {
  /** Called while `train` and `validate` run, at most ten times a second. */
  onProgress: ((progress: SpanProgress) => void) | undefined;
  readonly #worker: Worker;
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  readonly #pending = new Map<number, Pending>();
  readonly #ready: Promise<void>;
  #next = 0;
  #failure: Error | undefined;
  readonly #onFailure: ((error: Error) => void) | undefined;
  readonly #exited: Promise<void>;

  private constructor({ onMessage, onFailure, ...data }: EngineClientOptions) {
    this.#onFailure = onFailure;
    const stop = this.#stop.buffer as SharedArrayBuffer;
    const workerData: EngineThreadData = { ...data, stop };
    this.#worker = new Worker(workerEntry('train/engine-thread.js'), { workerData, name: 'resnode-engine' });
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    this.#ready = new Promise((resolve, reject) =>
      this.#pending.set(-1, { resolve: () => resolve(), reject }),
    );
    // a start that is called off does not wait for it
    this.#ready.catch(() => {});
    this.#worker.on('message', (message: EngineMessage) => this.#receive(message, onMessage));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the engine thread has ended')));
  }

  /**
   * Starts the thread, gets the engine and compiles the training graph.
   * @throws UserError when the engine cannot be had or the pictures do not fit the model
   */
  static async start(options: EngineClientOptions, signal?: AbortSignal): Promise<EngineClient> {
    const client = new EngineClient(options);
    const abort = (): void => client.#fail(signal?.reason);
    signal?.addEventListener('abort', abort);
    try {
      if (signal?.aborted) throw signal.reason;
      await client.#ready;
      return client;
    } catch (error) {
      // never terminated: a thread that is ended within a native call takes the process with it
      client.#post({ call: 'close' });
      await client.#exited;
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Ends a running span after the step that it is at. */
  stop(): void {
    Atomics.store(this.#stop, 0, 1);
  }

  /** Runs one of the session's functions over there. */
  call<K extends CallName>(
    name: K,
    request: Parameters<EngineCalls[K]>[0],
    transfer: ArrayBuffer[] = [],
  ): Promise<ReturnType<EngineCalls[K]>> {
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
        return;
      }
      const id = this.#next++;
      this.#pending.set(id, { resolve: (result) => resolve(result as ReturnType<EngineCalls[K]>), reject });
      this.#post({ id, call: name, request }, transfer);
    });
  }

  /** Closes everything native and ends the thread. */
  async close(): Promise<void> {
    this.stop();
    this.#failure ??= new Error('the engine was closed');
    this.#post({ call: 'close' });
    await this.#exited;
  }

  #post(message: EngineRequest, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #receive(message: EngineMessage, onMessage: ((text: string) => void) | undefined): void {
    if (message.kind === 'ready') this.#settle(-1, ({ resolve }) => resolve(undefined));
    else if (message.kind === 'failed') this.#fail(revive(message.error));
    else if (message.kind === 'message') onMessage?.(message.text);
    else if (message.kind === 'progress') this.onProgress?.(message.progress);
    else {
      this.#settle(message.id, ({ resolve, reject }) => {
        if (message.kind === 'reply') resolve(message.result);
        else reject(revive(message.error));
      });
    }
  }

  #settle(id: number, how: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending) how(pending);
  }

  #fail(error: unknown): void {
    const reason = error instanceof Error ? error : new Error(String(error));
    if (!this.#failure) this.#onFailure?.(reason);
    this.#failure ??= reason;
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
  }
}

function revive({ name, message, hint, exitCode, stack }: ErrorData): Error {
  if (name === 'UserError') {
    return new UserError(message, {
      ...(hint === undefined ? {} : { hint }),
      ...(exitCode === undefined ? {} : { exitCode }),
    });
  }
  const kind = name === 'EngineError' ? EngineError : name === 'PeerFailure' ? PeerFailure : Error;
  const error = new kind(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
