import { createHash, randomBytes } from 'node:crypto';
import { link, readFile, unlink, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { UserError } from '../errors.js';
import { describeOwner, isRunning, type Owner, thisOwner } from '../system/owner.js';

const owner = z.object({ pid: z.int(), host: z.string(), began: z.string().nullable() });

/** Milliseconds to wait for another process that removes a dead lock. */
const patience = 20;

/** Locks of this process: two trainings of one process are kept apart as well. */
const held = new Set<string>();

/** A file that one process at a time holds; it is free again when its holder has died. */
export class RunLock {
  readonly #path: string;
  readonly #text: string;

  private constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  /**
   * Takes the lock.
   * @param subject what it protects, for messages
   * @throws UserError naming the process that holds it
   */
  static async acquire(path: string, subject: string): Promise<RunLock> {
    if (held.has(path)) throw inUse(path, subject, await thisOwner());
    held.add(path);
    try {
      const text = `${JSON.stringify(await thisOwner())}\n`;
      while (!(await placed(path, text))) await removeIfDead(path, subject, text);
      return new RunLock(path, text);
    } catch (error) {
      held.delete(path);
      throw error;
    }
  }

  /** Gives it back; a lock that another process has taken meanwhile stays. */
  async release(): Promise<void> {
    held.delete(this.#path);
    if ((await textOf(this.#path)) === this.#text) await unlink(this.#path).catch(() => {});
  }
}

/** Puts the lock in its place, whole from the first moment on. @returns false when there is one already */
async function placed(path: string, text: string): Promise<boolean> {
  const temporary = besides(path);
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(temporary).catch(() => {});
  }
}

/**
 * Only who has the claim on a dead lock removes it: two that remove it by its name alone, one after the other, take
 * away the lock that a third has placed between.
 */
async function removeIfDead(path: string, subject: string, own: string): Promise<void> {
  const text = await textOf(path);
  if (text === undefined) return;
  const holder = parse(text);
  if (holder && (await isRunning(holder))) throw inUse(path, subject, holder);
  const claim = `${path}.${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
  if (!(await placed(claim, own))) {
    await removeDeadClaim(claim);
    await setTimeout(patience);
    return;
  }
  try {
    if ((await textOf(path)) === text) await unlink(path);
  } finally {
    await unlink(claim).catch(() => {});
  }
}

/** Of a process that was killed while it removed a lock. */
async function removeDeadClaim(claim: string): Promise<void> {
  const text = await textOf(claim);
  if (text === undefined) return;
  const holder = parse(text);
  if (!holder || !(await isRunning(holder))) await unlink(claim).catch(() => {});
}

function inUse(path: string, subject: string, holder: Owner): UserError {
  return new UserError(`${subject} is in use by ${describeOwner(holder)}`, {
    hint: `Wait for it, stop it, or choose another --project. If you are sure that it is gone, remove ${path}.`,
  });
}

function besides(path: string): string {
  return `${path}.${randomBytes(6).toString('hex')}`;
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(text: string): Owner | undefined {
  try {
    return owner.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
