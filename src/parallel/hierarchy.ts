import type { BackgroundSums, Communicator, Exchanged, FloatRange } from './communicator.js';

/**
 * Replicas of several processes: first the threads of each process add up, then their first ones over all
 * processes, and hand the result to the others.
 */
export class HierarchicalCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly background: BackgroundSums | undefined;
  readonly #local: Communicator;
  readonly #processes: { readonly rank: number; readonly size: number };
  readonly #leader: Communicator | undefined;

  /**
   * @param options.local the replicas of this process, equally many in each
   * @param options.leader the first replicas of all processes; of the first replica of a process only
   */
  constructor(options: {
    local: Communicator;
    processes: { readonly rank: number; readonly size: number };
    leader: Communicator | undefined;
  }) {
    const { local, processes, leader } = options;
    this.#local = local;
    this.#processes = processes;
    this.#leader = leader;
    this.rank = processes.rank * local.size + local.rank;
    this.size = processes.size * local.size;
    this.background = processes.size > 1 ? this.#inBackground() : undefined;
  }

  allReduce(data: Exchanged): void {
    this.#local.allReduce(data);
    this.#leader?.allReduce(data);
    this.#local.broadcast(data, 0);
  }

  broadcast(data: Exchanged, root: number): void {
    const { rank, size } = this.#processes;
    const process = Math.floor(root / this.#local.size);
    if (process === rank) this.#local.broadcast(data, root % this.#local.size);
    if (size > 1) this.#leader?.broadcast(data, process);
    this.#local.broadcast(data, 0);
  }

  barrier(): void {
    this.#local.barrier();
    this.#leader?.barrier();
    this.#local.barrier();
  }

  close(): void {
    this.#local.close();
    this.#leader?.close();
  }

  /** What is between the processes goes on beside; the threads of one meet when it begins and when it is there. */
  #inBackground(): BackgroundSums {
    const begun: FloatRange[] = [];
    return {
      begin: (data) => {
        this.#local.allReduce(data);
        this.#leader?.background?.begin(data);
        begun.push(data);
      },
      progress: () => this.#leader?.background?.progress(),
      finish: () => {
        this.#leader?.background?.finish();
        for (const data of begun.splice(0)) this.#local.broadcast(data, 0);
      },
    };
  }
}
