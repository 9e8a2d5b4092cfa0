import { appendFile } from 'node:fs/promises';

/**
 * A log file, one line an event, with the time in front. Lines come in order; a line that cannot be written
 * (a full disk) stops nothing.
 */
export class RunLog {
  readonly #path: string;
  readonly #onFailure: (error: Error) => void;
  #written: Promise<void> = Promise.resolve();
  #failed = false;

  /** @param onFailure told of the first line that could not be written */
  constructor(path: string, onFailure: (error: Error) => void) {
    this.#path = path;
    this.#onFailure = onFailure;
  }

  write(text: string): void {
    const line = `${new Date().toISOString()} ${text.replaceAll('\n', ' ')}\n`;
    this.#written = this.#written.then(async () => {
      try {
        await appendFile(this.#path, line);
      } catch (error) {
        if (!this.#failed) this.#onFailure(error as Error);
        this.#failed = true;
      }
    });
  }

  /** Resolves when every line is in the file. */
  async flush(): Promise<void> {
    await this.#written;
  }
}
