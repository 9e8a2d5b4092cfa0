import { exitCodes, UserError } from '../errors.js';
import type { Launch } from '../parallel/mpi/launch.js';
import { EngineClient } from './engine-client.js';

/** Exit codes with which a rank takes its leave of the others; with any other the launcher shall end them. */
const orderly: readonly number[] = [0, exitCodes.interrupted, exitCodes.terminated];

/**
 * The engine thread of a rank. MPI begins once in a process and belongs to one thread: it stays from the first training
 * to the end of the process, and each closes its engine alone.
 */
export class RankClient extends EngineClient {
  static #only: RankClient | undefined;
  #joined: Promise<void> | undefined;
  #taken = true;

  private constructor() {
    super();
    process.once('exit', (code) => {
      if (!this.#taken && orderly.includes(code)) this.endAtOnce();
    });
  }

  /** @throws UserError while something else of this process has it */
  static take(): RankClient {
    const known = RankClient.#only;
    if (!known) {
      RankClient.#only = new RankClient();
      return RankClient.#only;
    }
    if (known.#taken) {
      throw new UserError(
        'this process trains or tests already, and a rank of MPI does one thing at a time',
        {
          hint: 'Await one before the other.',
        },
      );
    }
    known.#taken = true;
    known.hold(true);
    return known;
  }

  /** Becomes a rank, the first time. */
  async join(launch: Launch): Promise<void> {
    this.#joined ??= this.call('join', launch);
    await this.#joined;
  }

  /** Closes the engine; the thread stays. */
  override close(): Promise<void> {
    return this.leave();
  }

  /** Leaves it to what comes next in this process. */
  async release(): Promise<void> {
    await this.leave();
    this.#taken = false;
    this.hold(false);
  }
}
