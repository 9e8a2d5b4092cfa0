import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setImmediate as breathe } from 'node:timers/promises';
import { z } from 'zod';

/** Name of the journal in an unfinished output: which pictures are done, so that a killed run can go on. */
export const journalFile = 'preprocess.journal';

const journalVersion = 1;

const header = z.object({
  journal: z.literal(journalVersion),
  /** All that the result depends on, but the pictures. */
  settings: z.record(z.string(), z.unknown()),
  /** SHA-256 over folders, labels and names of the pictures. */
  listing: z.string(),
  pictures: z.int().min(0),
  /** The machine's start: after another one, written files may have been lost. */
  boot: z.string().nullable(),
});

export type JournalHeader = z.output<typeof header>;

/** What must be the same for a run to go on. */
export type JournalSubject = Pick<JournalHeader, 'settings' | 'listing' | 'pictures'>;

const whole = z.int().min(0);
const source = z.tuple([whole, z.number()]);
const sums = z.tuple([whole, whole, whole, whole, whole, whole]);
const record = z.union([
  z.tuple([whole, source, z.tuple([whole, whole]), z.tuple([whole, whole, whole]), sums.nullable()]),
  z.tuple([whole, source.nullable(), z.string()]),
]);

/** Size and time of change of the file that a picture was read from. */
export interface SourceStamp {
  readonly size: number;
  readonly changed: number;
}

/** Where and what a written JPEG is. */
export interface KeptJpeg {
  readonly length: number;
  readonly crc: number;
  /** Offset in the file that holds it. */
  readonly offset: number;
}

export interface WrittenPicture extends KeptJpeg {
  readonly kind: 'written';
  readonly index: number;
  readonly stamp: SourceStamp;
  readonly width: number;
  readonly height: number;
  /** As `pixelSums` gives them; undefined when no statistics are wanted. */
  readonly sums: readonly number[] | undefined;
}

export interface RejectedPicture {
  readonly kind: 'rejected';
  readonly index: number;
  /** Undefined when the file could not be looked at. */
  readonly stamp: SourceStamp | undefined;
  readonly reason: string;
}

/** A picture that is done: one line of the journal. */
export type JournalRecord = WrittenPicture | RejectedPicture;

/** The journal of this run; each line is handed to the system at once, so that a kill loses none. */
export class JournalWriter {
  readonly #file: number;

  private constructor(path: string, flags: 'wx' | 'a') {
    this.#file = openSync(path, flags);
  }

  /** @throws the file system's error; the file must not exist */
  static begin(path: string, about: JournalSubject, boot: string | null): JournalWriter {
    const writer = new JournalWriter(path, 'wx');
    try {
      writer.#write(`${JSON.stringify({ journal: journalVersion, ...about, boot })}\n`);
    } catch (error) {
      writer.close();
      throw error;
    }
    return writer;
  }

  /** Goes on with a journal that ends with a whole line. */
  static goOn(path: string): JournalWriter {
    return new JournalWriter(path, 'a');
  }

  append(done: JournalRecord): void {
    this.#write(`${JSON.stringify(lineOf(done))}\n`);
  }

  /** Makes durable what was written. */
  sync(): void {
    fsyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
  }
}

function lineOf(done: JournalRecord): z.input<typeof record> {
  const { index, stamp } = done;
  if (done.kind === 'rejected') return [index, stamp ? [stamp.size, stamp.changed] : null, done.reason];
  const { width, height, length, crc, offset, sums: counted } = done;
  return [
    index,
    [done.stamp.size, done.stamp.changed],
    [width, height],
    [length, crc, offset],
    (counted as z.input<typeof sums> | undefined) ?? null,
  ];
}

function recordOf(line: string): JournalRecord | undefined {
  const parsed = record.safeParse(parseJson(line));
  if (!parsed.success) return undefined;
  const [index, stamp, ...rest] = parsed.data;
  if (typeof rest[0] === 'string') {
    return { kind: 'rejected', index, stamp: stampOf(stamp), reason: rest[0] };
  }
  const [[width, height], [length, crc, offset], counted] = rest as [
    [number, number],
    [number, number, number],
    number[] | null,
  ];
  return {
    ...{ kind: 'written', index, width, height, length, crc, offset },
    stamp: stampOf(stamp) ?? { size: -1, changed: -1 },
    sums: counted ?? undefined,
  };
}

function stampOf(stamp: readonly [number, number] | null): SourceStamp | undefined {
  return stamp ? { size: stamp[0], changed: stamp[1] } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const chunkBytes = 1 << 18;

/** Whole lines of a file, as many together as were read at once; what follows the last line end is left out. */
async function* readLines(path: string): AsyncGenerator<string[]> {
  const file = openSync(path, 'r');
  try {
    const chunk = Buffer.alloc(chunkBytes);
    let rest: Buffer = Buffer.alloc(0);
    for (;;) {
      const read = readSync(file, chunk, 0, chunkBytes, null);
      if (read === 0) return;
      const bytes = Buffer.concat([rest, chunk.subarray(0, read)]);
      const end = bytes.lastIndexOf(0x0a) + 1;
      rest = bytes.subarray(end);
      if (end > 0) yield bytes.toString('utf8', 0, end - 1).split('\n');
      // a million lines must not keep Ctrl-C waiting
      await breathe();
    }
  } finally {
    closeSync(file);
  }
}

/** What a journal was begun with; undefined when there is none, or it cannot be read. */
export async function readJournalHeader(path: string): Promise<JournalHeader | undefined> {
  try {
    for await (const [first = ''] of readLines(path)) return header.safeParse(parseJson(first)).data;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return undefined;
}

/**
 * The records of a journal, many together. Ends before the first line that is damaged: a power cut may have
 * left anything after it.
 */
export async function* readJournal(path: string): AsyncGenerator<JournalRecord[]> {
  let first = true;
  for await (const lines of readLines(path)) {
    const records: JournalRecord[] = [];
    for (const line of first ? lines.slice(1) : lines) {
      const read = recordOf(line);
      if (!read) {
        yield records;
        return;
      }
      records.push(read);
    }
    first = false;
    yield records;
  }
}

/** Tells one start of the machine from another; null where the system does not say. */
export async function readBoot(): Promise<string | null> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch {
    return null;
  }
}
