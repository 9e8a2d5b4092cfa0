import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../data/make-folder.js';
import { type LineFormat, lineFormat } from './log-format.js';
import type { LogRecord } from './log-record.js';
import type { LogSettings } from './log-settings.js';

/** What is kept of lines that could not be written yet, in bytes. */
const mostWaiting = 1 << 20;

/**
 * A log file, one line an event, in order. The file is opened by its name for every write: one that was renamed
 * meanwhile (logrotate) stays whole, and a new one begins. A line that cannot be written (a full disk) stops
 * nothing and is tried again with the next.
 */
export class RunLog {
  readonly path: string;
  readonly #format: LineFormat;
  readonly #onFailure: (error: Error) => void;
  #waiting: Buffer[] = [];
  #written: Promise<void> = Promise.resolve();
  #failed = false;
  #lost = 0;

  /** @param onFailure told of the first line that could not be written, and again after some that could */
  constructor(path: string, options: { log?: LogSettings | undefined; onFailure: (error: Error) => void }) {
    this.path = path;
    this.#format = lineFormat(options.log);
    this.#onFailure = options.onFailure;
  }

  write(record: LogRecord): void {
    const line = this.#format(record);
    if (line === undefined) return;
    this.#waiting.push(Buffer.from(line));
    this.#written = this.#written.then(() => this.#writeWaiting());
  }

  /** Resolves when every line is in the file, or could not be written. */
  async flush(): Promise<void> {
    await this.#written;
  }

  async #writeWaiting(): Promise<void> {
    if (this.#waiting.length === 0) return;
    let file: FileHandle | undefined;
    try {
      file = await this.#open();
      if (this.#lost > 0) this.#waiting.unshift(this.#lostLine());
      while (this.#waiting[0]) await this.#writeFirst(file, this.#waiting[0]);
      this.#failed = false;
    } catch (error) {
      this.#forgetOldest();
      if (!this.#failed) this.#onFailure(error as Error);
      this.#failed = true;
    } finally {
      await file?.close().catch(() => {});
    }
  }

  async #open(): Promise<FileHandle> {
    try {
      return await open(this.path, 'a');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await makeFolder(dirname(this.path));
      return await open(this.path, 'a');
    }
  }

  /** What a full disk took of a line is not written again. */
  async #writeFirst(file: FileHandle, line: Buffer): Promise<void> {
    const { bytesWritten } = await file.write(line);
    if (bytesWritten < line.length) this.#waiting[0] = line.subarray(bytesWritten);
    else this.#waiting.shift();
  }

  #forgetOldest(): void {
    let bytes = this.#waiting.reduce((sum, { length }) => sum + length, 0);
    while (bytes > mostWaiting) {
      // the first one may be written in part
      const [gone] = this.#waiting.splice(1, 1);
      if (!gone) return;
      bytes -= gone.length;
      this.#lost += 1;
    }
  }

  #lostLine(): Buffer {
    const text = `${this.#lost} lines could not be written here`;
    this.#lost = 0;
    return Buffer.from(this.#format({ level: 'error', event: 'lost', text }) ?? '');
  }
}
