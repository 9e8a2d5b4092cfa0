import { join } from 'node:path';
import { drawBytes, drawInto } from './split.js';

/** Pictures of one folder, on their way into the dataset. */
export interface PictureSource {
  /** Folder that they are read from. */
  readonly folder: string;
  /** The same for messages and random draws: below the pictures' folder, '/' between parts. */
  readonly shown: string;
  /** Where they came from is part of what is drawn for them. */
  readonly origin: 'pictures' | 'valDir';
  readonly names: readonly string[];
  /** Class of each, as an index into the sorted labels. */
  readonly classes: (name: string) => number;
}

/** What became of a picture so far. */
export const pictureState = { pending: 0, written: 1, rejected: 2 } as const;

/**
 * All pictures of a run in typed arrays, about 70 bytes each: a million of them must not need gigabytes.
 * A picture is known by its index, in the order of the sources.
 */
export class PictureTable {
  readonly length: number;
  /** Index into the sorted labels. */
  readonly classes: Int32Array;
  /** One of `pictureState`. */
  readonly states: Uint8Array;
  /** 1 for pictures that are for validation. */
  readonly validation: Uint8Array;
  /** `drawBytes` a picture, see `drawInto`. */
  readonly draws: Buffer;
  readonly #sources: readonly PictureSource[];
  readonly #sourceOf: Int32Array;
  readonly #names: Buffer;
  readonly #nameEnds: Float64Array;

  /** @param seed of the names and the split */
  constructor(sources: readonly PictureSource[], seed: number) {
    let [length, bytes] = [0, 0];
    for (const { names } of sources) {
      length += names.length;
      for (const name of names) bytes += Buffer.byteLength(name);
    }
    this.length = length;
    this.classes = new Int32Array(length);
    this.states = new Uint8Array(length);
    this.validation = new Uint8Array(length);
    this.draws = Buffer.alloc(length * drawBytes);
    this.#sources = sources.map((source) => ({ ...source, names: [] }));
    this.#sourceOf = new Int32Array(length);
    this.#names = Buffer.alloc(bytes);
    this.#nameEnds = new Float64Array(length);
    this.#fill(sources, seed);
  }

  #fill(sources: readonly PictureSource[], seed: number): void {
    let [index, end] = [0, 0];
    for (const [at, { shown, origin, names, classes }] of sources.entries()) {
      for (const name of names) {
        end += this.#names.write(name, end);
        this.#nameEnds[index] = end;
        this.#sourceOf[index] = at;
        this.classes[index] = classes(name);
        // a picture of the same path in the other folder must not get the same name
        const path = `${shown}/${name}`;
        drawInto(this.draws, index, seed, origin === 'valDir' ? `val\0${path}` : path);
        index++;
      }
    }
  }

  #source(index: number): PictureSource {
    return this.#sources[this.#sourceOf[index] as number] as PictureSource;
  }

  #fileName(index: number): string {
    const from = index === 0 ? 0 : (this.#nameEnds[index - 1] as number);
    return this.#names.toString('utf8', from, this.#nameEnds[index]);
  }

  /** Path for messages. */
  file(index: number): string {
    return `${this.#source(index).shown}/${this.#fileName(index)}`;
  }

  /** Path to read it from. */
  path(index: number): string {
    return join(this.#source(index).folder, this.#fileName(index));
  }

  /** Whether its split is settled by where it came from. */
  isFromValDir(index: number): boolean {
    return this.#source(index).origin === 'valDir';
  }

  /** Its name in the dataset, without extension: 32 hexadecimal digits. */
  name(index: number): string {
    const at = index * drawBytes;
    return this.draws.toString('hex', at, at + drawBytes / 2);
  }

  /** Indices of the written pictures of a split, in the order of their names, which is a random one. */
  ordered(validation: boolean): Uint32Array {
    const wanted = validation ? 1 : 0;
    const isIn = (index: number): boolean =>
      this.states[index] === pictureState.written && this.validation[index] === wanted;
    let count = 0;
    for (let index = 0; index < this.length; index++) if (isIn(index)) count++;
    const indices = new Uint32Array(count);
    for (let index = 0, at = 0; index < this.length; index++) if (isIn(index)) indices[at++] = index;
    const { draws } = this;
    const half = drawBytes / 2;
    return indices.sort((a, b) => {
      const [x, y] = [a * drawBytes, b * drawBytes];
      // the first 32 bits tell nearly all apart
      return draws.readUInt32BE(x) - draws.readUInt32BE(y) || draws.compare(draws, y, y + half, x, x + half);
    });
  }
}
