import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** Values by run and tag, each a list by step. */
type BySeries<T> = Readonly<Record<string, Readonly<Record<string, readonly T[]>>>>;

/** What TensorBoard finds in a folder. */
export interface Found {
  readonly scalars: BySeries<readonly [step: number, value: number]>;
  readonly texts: BySeries<string>;
  /** The sum of the counts. */
  readonly histograms: BySeries<readonly [step: number, count: number]>;
  /** Bytes of the pictures. */
  readonly images: BySeries<readonly [step: number, sizes: readonly number[]]>;
  readonly graphs: Readonly<
    Record<string, ReadonlyArray<{ name: string; op: string; input: string[]; shapes: number[][] }>>
  >;
  /** Rows of the HParams page. */
  readonly sessions: ReadonlyArray<{
    readonly name: string;
    readonly status: number;
    readonly hparams: Readonly<Record<string, string | number | boolean>>;
    readonly metrics: Readonly<Record<string, readonly [step: number, value: number]>>;
  }>;
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const environment = here('../../node_modules/.cache/tensorboard');
const python = `${environment}/${process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python'}`;

/** Why TensorBoard cannot be had here; undefined when it can. */
export const missing = existsSync(`${environment}/installed.txt`)
  ? undefined
  : 'TensorBoard is not installed: `npm test` does it where there are Python with venv and pip, and a network';

/** TensorBoard with a folder open: by its loader in Python, and by its data server where there is one. */
export class Reader {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(folder: string) {
    this.#child = spawn(python, [here('read_back.py'), folder], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Everything that it shows, once a point of that step is there. */
  async read(run: string, tag: string, step: number): Promise<Readonly<Record<string, Found>>> {
    this.#child.stdin.write(`${JSON.stringify([run, tag, step])}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('TensorBoard has ended');
    return JSON.parse(value);
  }

  close(): void {
    this.#child.stdin.end();
  }
}
