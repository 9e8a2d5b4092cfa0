import { open, readdir, readFile, rename, stat, truncate, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, writeFileAtomic } from '../../data/atomic-write.js';
import { makeFolder } from '../../data/make-folder.js';
import { type BoardEvent, decodeEvent, encodeEvent, sessionStatus } from './messages.js';
import { frame, readRecords } from './record.js';

const unfinished = 'next';
const ours = /^events\.out\.tfevents\.(\d{10,})\.resnode$/;

interface Kept {
  readonly event: BoardEvent;
  readonly record: Uint8Array;
}

/**
 * The events of one of TensorBoard's runs: a folder with one file. It is begun anew by each training process, with
 * what the earlier ones wrote up to the epoch that it goes on from, so that no point stands there twice. Events of
 * step 0 (graph, settings) come with each process afresh; all others belong to an epoch.
 */
export class EventFile {
  readonly #folder: string;
  #path: string | undefined;
  #size = 0;
  #renewed = false;
  #steps = new Set<number>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Epochs whose scalars are in the file. */
  get steps(): ReadonlySet<number> {
    return this.#steps;
  }

  get begun(): boolean {
    return this.#path !== undefined;
  }

  /** Whether this process has begun it before: what lies there is of this process, or was kept by it. */
  get renewed(): boolean {
    return this.#renewed;
  }

  /**
   * Writes a new file in the place of the old ones.
   * @param options.upTo the last epoch to keep
   * @param options.first events of step 0
   */
  async begin(options: { upTo: number; first: readonly BoardEvent[] }): Promise<void> {
    await makeFolder(this.#folder);
    await this.#removeLeftovers();
    const names = await this.#list();
    const kept = await this.#read(names, options.upTo);
    const wallTime = Date.now() / 1000;
    const head: BoardEvent[] = [
      { wallTime, step: 0, fileVersion: 'brain.Event:2' },
      // a TensorBoard that has read the old files forgets them
      { wallTime, step: 0, sessionLog: { status: sessionStatus.start } },
      ...options.first,
    ];
    const bytes = Buffer.concat([...head.map(toRecord), ...kept.map(({ record }) => record)]);
    const path = join(this.#folder, nextName(names));
    // not under its name: TensorBoard reads every file that is called so
    const temporary = join(this.#folder, unfinished);
    await writeFileAtomic(temporary, bytes);
    await rename(temporary, path);
    await syncFolder(this.#folder);
    for (const name of names) await this.#retire(join(this.#folder, name));
    this.#steps = new Set(kept.filter(({ event }) => hasScalar(event)).map(({ event }) => event.step));
    this.#size = bytes.length;
    this.#path = path;
    this.#renewed = true;
  }

  /** Puts events at the end, or changes nothing; a file that is gone has to begin again. */
  async append(events: readonly BoardEvent[]): Promise<void> {
    if (!this.#path) throw new Error('the file has not begun');
    if (events.length === 0) return;
    const path = this.#path;
    this.#path = undefined;
    const bytes = Buffer.concat(events.map(toRecord));
    const file = await open(path, 'r+');
    try {
      for (let done = 0; done < bytes.length; ) {
        done += (await file.write(bytes, done, bytes.length - done, this.#size + done)).bytesWritten;
      }
    } catch (error) {
      // a full disk gets its room back, and the file is as it was
      await file.truncate(this.#size);
      this.#path = path;
      throw error;
    } finally {
      await file.close();
    }
    this.#size += bytes.length;
    for (const event of events) if (hasScalar(event)) this.#steps.add(event.step);
    this.#path = path;
  }

  /**
   * Empties a file that was replaced. It stays until the next time: a TensorBoard that has it open goes on to the
   * next file when it comes to the end of this, but never when this is gone.
   */
  async #retire(path: string): Promise<void> {
    const { size } = await stat(path);
    await (size > 0 ? truncate(path) : unlink(path));
  }

  /** What a killed process left half written. */
  async #removeLeftovers(): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      if (name === unfinished || /^\.next\..*\.tmp$/.test(name)) await unlink(join(this.#folder, name));
    }
  }

  async #list(): Promise<string[]> {
    const names = await readdir(this.#folder);
    return names.filter((name) => ours.test(name)).sort((a, b) => timeOf(a) - timeOf(b));
  }

  async #read(names: readonly string[], upTo: number): Promise<Kept[]> {
    let kept: Kept[] = [];
    for (const name of names) {
      for (const { data, record } of readRecords(await readFile(join(this.#folder, name)))) {
        const event = decodeEvent(data);
        // the file was to replace those before it
        if (event.sessionLog?.status === sessionStatus.start) {
          kept = kept.filter((each) => each.event.step < event.step);
        } else if (event.step >= 1 && event.step <= upTo) kept.push({ event, record });
      }
    }
    return kept;
  }
}

function toRecord(event: BoardEvent): Uint8Array {
  return frame(encodeEvent(event));
}

function hasScalar({ summary }: BoardEvent): boolean {
  return summary?.value.some(({ simpleValue }) => simpleValue !== undefined) ?? false;
}

/** TensorBoard reads the files of a folder in the order of their names: a clock set back must not change it. */
function nextName(names: readonly string[]): string {
  const after = names.map((name) => timeOf(name) + 1);
  const seconds = Math.max(Math.floor(Date.now() / 1000), ...after);
  return `events.out.tfevents.${String(seconds).padStart(10, '0')}.resnode`;
}

function timeOf(name: string): number {
  return Number(ours.exec(name)?.[1] ?? 0);
}
