import type { WriteStream } from 'node:tty';

/** Where a progress line is drawn; `process.stderr` fits. */
export type ProgressStream = Pick<WriteStream, 'write'> & { isTTY?: boolean; columns?: number };

const minimumInterval = 100;
/** Where a terminal does not say how wide it is; some say 0. */
const usualWidth = 80;

/**
 * One line on stderr that is drawn over itself on a terminal.
 * Without a terminal only finished lines are written, so that logs stay short and pipes clean.
 */
export class ProgressLine {
  readonly #stream: ProgressStream;
  #drawn = false;
  #lastDraw = 0;

  constructor(stream: ProgressStream = process.stderr) {
    this.#stream = stream;
  }

  /** Whether there is a terminal to draw on. */
  get live(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Replaces the line; drawn at most ten times a second. */
  update(text: string): void {
    if (!this.#stream.isTTY) return;
    const now = performance.now();
    if (this.#drawn && now - this.#lastDraw < minimumInterval) return;
    this.#lastDraw = now;
    this.#drawn = true;
    const width = Math.max(20, (this.#stream.columns || usualWidth) - 1);
    this.#stream.write(`\r\u001b[2K${text.length > width ? `${text.slice(0, width - 1)}…` : text}`);
  }

  /** Writes a whole line that stays, above whatever is being updated. */
  print(text: string): void {
    this.clear();
    this.#stream.write(`${text}\n`);
  }

  /** Removes the line that is being updated. */
  clear(): void {
    if (this.#drawn) this.#stream.write('\r\u001b[2K');
    this.#drawn = false;
  }
}

/** A bar such as `████████░░░░`, for `update`. */
export function bar(done: number, total: number, width = 20): string {
  const filled = total > 0 ? Math.round((Math.min(done, total) / total) * width) : 0;
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}
