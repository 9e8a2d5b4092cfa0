import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../errors.js';
import { prepareEnvironment } from '../parallel/mpi/environment.js';
import { findLaunch, type Launch } from '../parallel/mpi/launch.js';
import { parseCheckpoint } from './checkpoint.js';
import { EngineClient } from './engine-client.js';
import type { StartingPoint } from './starting-point.js';

/** What is to be the same at all ranks, by the names that a person knows. */
export type Facts = Readonly<Record<string, unknown>>;

/**
 * Milliseconds that a rank gives the first one to say the same, the launcher to hand on what was said (MPICH's drops
 * what it has not read when it ends the ranks), and MPI to end everything.
 */
const patience = { first: 2500, heard: 500, abort: 3000 } as const;

/**
 * The ranks of a training on several machines, as the main thread of one of them sees it. The first rank decides,
 * writes and prints; the others follow. All of MPI happens in the engine thread, which is started for it.
 */
export class World {
  readonly rank: number;
  readonly size: number;
  /** Ranks on this machine. */
  readonly localSize: number;
  /** Among those. */
  readonly localRank: number;
  /** The engine thread; its engine is opened later. */
  readonly client = new EngineClient();
  #opened = false;

  private constructor({ rank, size, localSize, localRank }: Launch) {
    this.rank = rank;
    this.size = size;
    this.localSize = localSize;
    this.localRank = localRank;
  }

  /** Whether ranks are on other machines, as far as the launcher says. */
  get severalMachines(): boolean {
    return this.size > this.localSize;
  }

  /**
   * Joins the other ranks.
   * @returns undefined for a process that no launcher has started as one of several
   */
  static async join(launch: Launch | undefined = findLaunch(process.env)): Promise<World | undefined> {
    if (!launch) return undefined;
    prepareEnvironment(process.env);
    const world = new World(launch);
    try {
      await world.client.call('join', launch);
    } catch (error) {
      return world.abort(error);
    }
    return world;
  }

  /** Hands a value of the first rank to all; plain JSON. */
  async same<T>(value: T): Promise<T> {
    const text = this.rank === 0 ? new TextEncoder().encode(JSON.stringify(value ?? null)) : undefined;
    const bytes = await this.client.call('exchange', { bytes: text });
    return JSON.parse(new TextDecoder().decode(bytes)) as T;
  }

  /** Hands what each rank has found to all, in the order of the ranks; plain JSON. */
  async gather<T>(values: readonly T[]): Promise<T[]> {
    const text = values.length > 0 ? JSON.stringify(values) : '';
    const texts = await this.client.call('gather', { text });
    return texts.flatMap((each) => (each ? (JSON.parse(each) as T[]) : []));
  }

  /** Hands the starting point that the first rank has found to all: they need not see its folder. */
  async sameStart(start: StartingPoint | undefined): Promise<StartingPoint | undefined> {
    const found = await this.same(start && { kind: start.kind, path: start.checkpoint.path });
    if (!found) return undefined;
    const bytes = await this.client.call('exchange', { bytes: start?.checkpoint.bytes });
    return start ?? { kind: found.kind, checkpoint: parseCheckpoint(found.path, bytes) };
  }

  /**
   * Makes sure that all ranks are about to do the same.
   * @throws UserError that names what differs
   */
  async requireSame(facts: Facts): Promise<void> {
    const { first, other, differing } = await this.client.call('compare', { text: JSON.stringify(facts) });
    if (differing.length === 0) return;
    const [expected, found] = [first, other].map((text) => JSON.parse(text) as Facts);
    const text = (value: unknown): string => JSON.stringify(value) ?? 'nothing';
    const name = Object.keys({ ...expected, ...found }).find(
      (each) => text(expected?.[each]) !== text(found?.[each]),
    );
    throw new UserError(
      `rank ${differing[0]} was started otherwise: ${name} is ${text(found?.[name ?? ''])} there and ${text(expected?.[name ?? ''])} at rank 0`,
      { hint: 'Start all ranks with the same settings, the same resnode and the same dataset.' },
    );
  }

  /** Tells the world that its engine thread has another owner from here on, who ends it. */
  handOver(): EngineClient {
    this.#opened = true;
    return this.client;
  }

  /** Ends MPI together with the others, unless the engine's owner did. */
  async close(): Promise<void> {
    if (!this.#opened) await this.client.close();
  }

  /** Says what went wrong and ends the processes of all ranks, this one too. */
  async abort(error: unknown): Promise<never> {
    // what all ranks find wrong the first one says
    if (this.rank > 0) await sleep(patience.first);
    const { message, hint, exitCode = 1 } = described(error);
    writeSync(2, `error: rank ${this.rank}: ${message}\n${hint === undefined ? '' : `hint:  ${hint}\n`}`);
    await sleep(patience.heard);
    this.client.call('abort', { code: exitCode }).catch(() => {});
    await sleep(patience.abort);
    // the engine thread waits within MPI for others, or never came to it: the launcher notices a rank that is killed
    process.kill(process.pid, 'SIGKILL');
    return new Promise<never>(() => {});
  }
}

function described(error: unknown): { message: string; hint?: string | undefined; exitCode?: number } {
  if (error instanceof UserError) return error;
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
