import type { MemoryPlace } from './cache-share.js';
import type { CacheEntry, PixelStore } from './pixel-store.js';

/** Pixels in shared memory. */
export class MemoryStore implements PixelStore {
  readonly #slabs: readonly Uint8Array[];
  readonly #slabBytes: number;

  constructor({ slabs, slabBytes }: MemoryPlace) {
    this.#slabs = slabs.map((slab) => new Uint8Array(slab));
    this.#slabBytes = slabBytes;
  }

  placeFrom(from: number, length: number): number {
    const slab = Math.floor(from / this.#slabBytes);
    if (from % this.#slabBytes === 0 || from + length <= (slab + 1) * this.#slabBytes) {
      // one that fits into none is beyond the end of all
      return length <= this.#slabBytes ? from : Number.MAX_SAFE_INTEGER - length;
    }
    return this.placeFrom((slab + 1) * this.#slabBytes, length);
  }

  write({ offset }: CacheEntry, pixels: Buffer): number {
    this.#at(offset, pixels.length).set(pixels);
    return 0;
  }

  read({ offset }: CacheEntry, pixels: Buffer): boolean {
    pixels.set(this.#at(offset, pixels.length));
    return true;
  }

  #at(offset: number, length: number): Uint8Array {
    const slab = this.#slabs[Math.floor(offset / this.#slabBytes)] as Uint8Array;
    const within = offset % this.#slabBytes;
    return slab.subarray(within, within + length);
  }
}
