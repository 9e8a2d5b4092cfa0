import { Worker } from 'node:worker_threads';
import { EngineError } from '../engines/engine.js';
import { UserError } from '../errors.js';
import { PeerFailure } from '../parallel/communicator.js';
import { workerEntry } from '../worker-entry.js';
import type {
  AllCalls,
  EngineMessage,
  EngineRequest,
  EngineThreadData,
  EngineThreadStart,
  ErrorData,
} from './engine-thread.js';
import type { SpanProgress } from './span.js';

export type EngineClientOptions = EngineThreadData & {
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
  readonly #ended = new Int32Array(new SharedArrayBuffer(4));
  readonly #pending = new Map<number, Pending>();
  #next = 0;
  #failure: Error | undefined;
  #onFailure: ((error: Error) => void) | undefined;
  #onMessage: ((text: string) => void) | undefined;
  readonly #exited: Promise<void>;

  constructor() {
    const [stop, ended] = [this.#stop, this.#ended].map(({ buffer }) => buffer as SharedArrayBuffer);
    const workerData = { stop, ended } as EngineThreadStart;
    this.#worker = new Worker(workerEntry('train/engine-thread.js'), { workerData, name: 'resnode-engine' });
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.on('message', (message: EngineMessage) => this.#receive(message));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the engine thread has ended')));
  }

  /**
   * Starts the thread, gets the engine and compiles the training graph.
   * @throws UserError when the engine cannot be had or the pictures do not fit the model
   */
  static async start(options: EngineClientOptions, signal?: AbortSignal): Promise<EngineClient> {
    const client = new EngineClient();
    await client.open(options, signal);
    return client;
  }

  /** As {@link EngineClient.start}, of a thread that runs already; one that fails is ended. */
  async open({ onMessage, onFailure, ...data }: EngineClientOptions, signal?: AbortSignal): Promise<void> {
    this.#onMessage = onMessage;
    this.#onFailure = onFailure;
    const abort = (): void => this.#fail(signal?.reason);
    signal?.addEventListener('abort', abort);
    try {
      if (signal?.aborted) throw signal.reason;
      await this.call('open', data);
    } catch (error) {
      await this.close();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Ends a running span after the step that it is at. */
  stop(): void {
    Atomics.store(this.#stop, 0, 1);
  }

  /** Runs one of the thread's functions over there. */
  call<K extends keyof AllCalls>(
    name: K,
    request: Parameters<AllCalls[K]>[0],
    transfer: ArrayBuffer[] = [],
  ): Promise<Awaited<ReturnType<AllCalls[K]>>> {
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
        return;
      }
      const id = this.#next++;
      this.#pending.set(id, {
        resolve: (result) => resolve(result as Awaited<ReturnType<AllCalls[K]>>),
        reject,
      });
      this.#post({ id, call: name, request }, transfer);
    });
  }

  /** Closes everything native and ends the thread. */
  async close(): Promise<void> {
    this.stop();
    this.#failure ??= new Error('the engine was closed');
    // never terminated: a thread that is ended within a native call takes the process with it
    this.#post({ call: 'close' });
    await this.#exited;
  }

  /** Closes the engine alone; the thread can open another. */
  protected async leave(): Promise<void> {
    this.stop();
    // of a thread that has failed those know who called it
    await this.call('leave', {}).catch(() => {});
    Atomics.store(this.#stop, 0, 0);
    this.onProgress = undefined;
    this.#onMessage = undefined;
    this.#onFailure = undefined;
  }

  /** Whether the process stays for the thread's sake. */
  protected hold(process: boolean): void {
    if (process) this.#worker.ref();
    else this.#worker.unref();
  }

  /** Ends an idle thread and blocks until it has closed everything native: for the end of the process. */
  protected endAtOnce(): void {
    if (this.#failure) return;
    this.#post({ call: 'close' });
    Atomics.wait(this.#ended, 0, 0);
  }

  #post(message: EngineRequest, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #receive(message: EngineMessage): void {
    if (message.kind === 'message') this.#onMessage?.(message.text);
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
