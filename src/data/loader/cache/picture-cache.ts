import type { Picture } from '../../transforms/picture.js';
import { type CacheShare, cached } from './cache-share.js';
import { DiskStore } from './disk-store.js';
import { MemoryStore } from './memory-store.js';
import type { PixelStore } from './pixel-store.js';

/** The cache of decoded pictures as one thread sees it. */
export class PictureCache {
  readonly #states: Int32Array;
  readonly #sizes: Int32Array;
  readonly #offsets: Float64Array;
  readonly #checksums: Int32Array;
  readonly #taken: BigInt64Array;
  readonly #closed: Int32Array;
  readonly #limit: number;
  readonly #store: PixelStore;
  readonly #onFailure: (message: string) => void;

  /** @param onFailure told once, by whichever thread it happens to, that nothing more can be kept */
  constructor(share: CacheShare, onFailure: (message: string) => void) {
    this.#states = new Int32Array(share.states);
    this.#sizes = new Int32Array(share.sizes);
    this.#offsets = new Float64Array(share.offsets);
    this.#checksums = new Int32Array(share.checksums);
    this.#taken = new BigInt64Array(share.control, 0, 1);
    this.#closed = new Int32Array(share.control, 8, 1);
    this.#limit = share.limit;
    const { place } = share;
    this.#store = place.kind === 'ram' ? new MemoryStore(place) : new DiskStore(place);
    this.#onFailure = onFailure;
  }

  /** Loads a picture that is there, as its decoding would. */
  read(index: number, picture: Picture): boolean {
    if (Atomics.load(this.#states, index) !== cached.yes) return false;
    const [height, width] = [this.#sizes[2 * index] as number, this.#sizes[2 * index + 1] as number];
    const entry = {
      ...{ index, height, width, offset: this.#offsets[index] as number },
      checksum: this.#checksums[index] as number,
    };
    const pixels = picture.load(width, height).subarray(0, 3 * height * width);
    if (this.#store.read(entry, pixels)) return true;
    Atomics.store(this.#states, index, cached.lost);
    return false;
  }

  /** Keeps a picture that was just decoded, if there is room. */
  keep(index: number, picture: Picture): void {
    if (Atomics.load(this.#closed, 0) !== 0) return;
    if (Atomics.compareExchange(this.#states, index, cached.no, cached.writing) !== cached.no) return;
    const { height, width } = picture;
    const pixels = picture.pixels.subarray(0, 3 * height * width);
    const offset = this.#reserve(pixels.length);
    const entry = offset === undefined ? undefined : { index, height, width, offset };
    const checksum = entry && this.#write(entry, pixels);
    if (!entry || checksum === undefined) {
      Atomics.store(this.#states, index, cached.no);
      return;
    }
    this.#sizes.set([height, width], 2 * index);
    this.#offsets[index] = entry.offset;
    this.#checksums[index] = checksum;
    Atomics.store(this.#states, index, cached.yes);
  }

  /** @returns where; undefined when there is no room, and from then on for all */
  #reserve(length: number): number | undefined {
    for (;;) {
      const taken = Atomics.load(this.#taken, 0);
      const offset = this.#store.placeFrom(Number(taken), length);
      if (offset + length > this.#limit) {
        Atomics.store(this.#closed, 0, 1);
        return undefined;
      }
      const next = BigInt(offset + length);
      if (Atomics.compareExchange(this.#taken, 0, taken, next) === taken) return offset;
    }
  }

  /** @returns its checksum; undefined when it cannot be written, and no other one will be tried */
  #write(entry: Parameters<PixelStore['write']>[0], pixels: Buffer): number | undefined {
    try {
      return this.#store.write(entry, pixels);
    } catch (error) {
      const first = Atomics.exchange(this.#closed, 0, 1) === 0;
      if (first) this.#onFailure((error as Error).message);
      return undefined;
    }
  }
}
