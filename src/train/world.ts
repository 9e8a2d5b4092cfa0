import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes, UserError } from '../errors.js';
import { prepareEnvironment } from '../parallel/mpi/environment.js';
import { findLaunch, type Launch } from '../parallel/mpi/launch.js';
import { type Checkpoint, parseCheckpoint } from './checkpoint.js';
import { RankClient } from './rank-client.js';
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
  /** The engine thread; its engine is opened later, by another owner, who closes that. */
  readonly client: RankClient;

  private constructor({ rank, size, localSize, localRank }: Launch, client: RankClient) {
    this.client = client;
    this.rank = rank;
    this.size = size;
    this.localSize = localSize;
    this.localRank = localRank;
  }

  /** What an engine has to know of it. */
  get place(): { readonly client: RankClient; readonly rank: number; readonly size: number } {
    return { client: this.client, rank: this.rank, size: this.size };
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
    const world = new World(launch, RankClient.take());
    try {
      await world.client.join(launch);
    } catch (error) {
      return world.abort(error);
    }
    return world;
  }

  /** Does a work of all ranks, or of the one process; an error at one rank ends all. */
  static async among<T>(work: (world: World | undefined) => Promise<T>): Promise<T> {
    const world = await World.join();
    try {
      return await work(world);
    } catch (error) {
      return world ? await world.abort(error) : Promise.reject(error);
    } finally {
      await world?.client.release();
    }
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

  /** Hands the starting point that the first rank has found to all. */
  async sameStart(start: StartingPoint | undefined): Promise<StartingPoint | undefined> {
    const kind = await this.same(start?.kind);
    return kind ? { kind, checkpoint: await this.sameCheckpoint(start?.checkpoint) } : undefined;
  }

  /** Hands the checkpoint that the first rank has read to all: they need not see its folder. */
  async sameCheckpoint(checkpoint: Checkpoint | undefined): Promise<Checkpoint> {
    const path = await this.same(checkpoint?.path ?? '');
    const bytes = await this.client.call('exchange', { bytes: checkpoint?.bytes });
    return checkpoint ?? parseCheckpoint(path, bytes);
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
  if (error instanceof Error && error.name === 'AbortError') {
    return { message: 'interrupted', exitCode: exitCodes.terminated };
  }
  return { message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
