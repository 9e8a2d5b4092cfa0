import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface CompetitorOptions {
  name: string;
  command: string;
  arguments: readonly string[];
  environment?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly ready?: boolean;
  readonly version?: string;
  readonly seconds?: number;
  /** Seconds of these that went into communication. */
  readonly exchanged?: number;
  readonly peakBytes?: number;
}

/** One side of a comparison: a process that has warmed up and runs N steps when told to. */
export class Competitor {
  readonly name: string;
  readonly version: string;
  /** Seconds from the start of the process to the end of its first step. */
  readonly firstStep: number;
  readonly samples: number[] = [];
  /** Seconds of a step that went into communication. */
  readonly exchanged: number[] = [];
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(
    name: string,
    child: ChildProcess,
    lines: AsyncIterator<string>,
    ready: Answer,
    firstStep: number,
  ) {
    this.name = name;
    this.version = ready.version ?? '';
    this.firstStep = firstStep;
    this.#child = child;
    this.#lines = lines;
  }

  static async start(options: CompetitorOptions): Promise<Competitor> {
    const started = performance.now();
    const child = spawn(options.command, options.arguments, {
      env: { ...process.env, ...options.environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const iterator = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await iterator.next();
    if (first.done) throw new Error(`${options.name} ended before its first step`);
    const ready = JSON.parse(first.value) as Answer;
    return new Competitor(options.name, child, iterator, ready, (performance.now() - started) / 1e3);
  }

  /** Runs `count` steps and keeps the seconds of one. */
  async run(count: number): Promise<void> {
    const { seconds, exchanged = 0 } = await this.#ask(`run ${count}`);
    if (seconds === undefined) throw new Error(`${this.name} gave no time`);
    this.samples.push(seconds / count);
    this.exchanged.push(exchanged / count);
  }

  /** Ends the process and gives its peak resident memory in bytes. */
  async quit(): Promise<number> {
    const { peakBytes = 0 } = await this.#ask('quit');
    this.#child.stdin?.end();
    return peakBytes;
  }

  async #ask(line: string): Promise<Answer> {
    this.#child.stdin?.write(`${line}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.name} ended early`);
    return JSON.parse(value) as Answer;
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
