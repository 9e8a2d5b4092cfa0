/** Where a picture's pixels lie. */
export interface CacheEntry {
  /** Number of the picture. */
  readonly index: number;
  readonly height: number;
  readonly width: number;
  readonly offset: number;
}

/** Holds pixels at places that its user gives out. */
export interface PixelStore {
  /** First place at or after `from` where so many bytes can lie. */
  placeFrom(from: number, length: number): number;
  /** @returns checksum; throws the system's error */
  write(entry: CacheEntry, pixels: Buffer): number;
  /** @returns whether what was written came back whole */
  read(entry: CacheEntry & { readonly checksum: number }, pixels: Buffer): boolean;
}
