/** Options of the command line that the suites share. */
export interface BenchOptions {
  readonly torch?: string;
  readonly stages: string;
  readonly pixels: number;
  readonly batch: number;
  readonly threads: number;
  readonly rounds: number;
  readonly steps: number;
  readonly data?: string;
  /** Comma-separated. */
  readonly engines: string;
  readonly device: string;
  readonly precision: string;
  /** Rate between two hosts, in the words of tc. */
  readonly link: string;
}

export interface Table {
  readonly title: string;
  readonly rows: ReadonlyArray<{ readonly name: string } & Readonly<Record<string, string | number>>>;
}
