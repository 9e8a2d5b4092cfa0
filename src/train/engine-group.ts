import { PeerFailure } from '../parallel/communicator.js';
import { createMeetingPlace, failMeeting } from '../parallel/meeting.js';
import { loadNccl } from '../parallel/nccl/library.js';
import { abortAll, createNcclTable, type NcclTable } from '../parallel/nccl/table.js';
import { EngineClient, type EngineClientOptions } from './engine-client.js';
import type { CallName, EngineCalls } from './engine-thread.js';
import { threadsOfEach } from './replicas.js';
import type { SpanProgress } from './span.js';

/** What a training asks of its engine, be it one thread or several. */
export interface TrainingEngine extends Pick<EngineClient, 'stop' | 'close' | 'onProgress'> {
  call<K extends CallName>(
    name: K,
    request: Parameters<EngineCalls[K]>[0],
    transfer?: ArrayBuffer[],
  ): Promise<ReturnType<EngineCalls[K]>>;
}

export interface EngineGroupOptions extends Omit<EngineClientOptions, 'device' | 'group' | 'onFailure'> {
  /** The device of each replica. */
  readonly devices: readonly string[];
  /** The thread of the first replica where it runs already, as a rank of several processes. */
  readonly rank?: { readonly client: EngineClient; readonly rank: number; readonly size: number } | undefined;
}

/** Calls that only the first replica answers: the others hold the same. */
const asksOne: ReadonlySet<CallName> = new Set(['snapshot', 'gradients', 'infer']);

/** Replicas of a network, each in an engine thread of its own; looks like one. Nothing here blocks. */
export class EngineGroup implements TrainingEngine {
  readonly #clients: readonly [EngineClient, ...EngineClient[]];
  readonly #nccl: NcclTable;

  private constructor(clients: readonly [EngineClient, ...EngineClient[]], nccl: NcclTable) {
    this.#clients = clients;
    this.#nccl = nccl;
  }

  /** Starts all threads; one for one device is an engine alone. */
  static async start(options: EngineGroupOptions, signal?: AbortSignal): Promise<TrainingEngine> {
    const { devices, threads, onMessage, rank, ...shared } = options;
    const place = devices.length > 1 ? createMeetingPlace(devices.length) : undefined;
    const nccl = createNcclTable(devices.length);
    const each = place ? threadsOfEach(devices.length, threads) : [threads];
    const processes = rank && { rank: rank.rank, size: rank.size };
    const starting = devices.map(async (device, replica) => {
      const client = (replica === 0 ? rank?.client : undefined) ?? new EngineClient();
      const group = place || processes ? { place, nccl, replica, processes } : undefined;
      await client.open(
        {
          ...shared,
          ...{ device, threads: each[replica], group },
          ...(onMessage && replica === 0 ? { onMessage } : {}),
          onFailure: ({ message }) => {
            if (place) failMeeting(place, `replica ${replica} has failed: ${message}`);
            endOnGpus(nccl);
          },
        },
        signal,
      );
      return client;
    });
    const started = await Promise.allSettled(starting);
    const clients = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    if (!place && clients[0]) return clients[0];
    const [first, ...others] = clients;
    if (first && clients.length === devices.length) return new EngineGroup([first, ...others], nccl);
    await Promise.all(clients.map((client) => client.close()));
    throw cause(started);
  }

  get onProgress(): ((progress: SpanProgress) => void) | undefined {
    return this.#clients[0].onProgress;
  }

  set onProgress(listen: ((progress: SpanProgress) => void) | undefined) {
    this.#clients[0].onProgress = listen;
  }

  /** Ends a running span after the step that all replicas are at. */
  stop(): void {
    for (const client of this.#clients) client.stop();
  }

  /**
   * Runs one of the session's functions at every replica; they answer the same.
   * @throws what the replica that failed says, not those that only left with it
   */
  async call<K extends CallName>(
    name: K,
    request: Parameters<EngineCalls[K]>[0],
    transfer: ArrayBuffer[] = [],
  ): Promise<ReturnType<EngineCalls[K]>> {
    const [first, ...others] = this.#clients;
    if (asksOne.has(name)) return first.call(name, request, transfer);
    const calls = [
      first.call(name, request, transfer),
      ...others.map((client) => client.call(name, request)),
    ];
    // the others may wait on their GPUs for the one that has failed
    for (const call of calls) call.catch(() => endOnGpus(this.#nccl));
    const answers = await Promise.allSettled(calls);
    const [answer] = answers;
    if (answer?.status === 'fulfilled' && answers.every(({ status }) => status === 'fulfilled')) {
      return answer.value;
    }
    throw cause(answers);
  }

  async close(): Promise<void> {
    this.stop();
    await Promise.all(this.#clients.map((client) => client.close()));
  }
}

/** Ends what replicas do together on their GPUs; there is nothing where they are on none. */
function endOnGpus(nccl: NcclTable): void {
  abortAll(nccl, (path, communicator) => {
    // whatever becomes of it: the error that led here is the one to tell
    loadNccl([path])
      .abortBeside(communicator)
      .catch(() => {});
  });
}

/** The error that the others have followed. */
function cause(results: ReadonlyArray<PromiseSettledResult<unknown>>): unknown {
  const reasons = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  return reasons.find((reason) => !(reason instanceof PeerFailure)) ?? reasons[0];
}
