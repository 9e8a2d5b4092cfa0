import type { KeptJpeg } from './journal.js';

/** Where the JPEGs of a run are kept until it is known which of them are for validation. */
export interface PictureStore {
  /** Keeps a JPEG. @returns its offset in the file that holds it */
  put(index: number, jpeg: Uint8Array): Promise<number>;
  /** Forgets what may have been kept of a picture. */
  drop(index: number): Promise<void>;
  /** Whether what the journal says was kept is there, by its size; quick, and does not wait. */
  holds(index: number, kept: KeptJpeg): boolean;
  /** The bytes that were kept; fewer than its length when they are no longer there. */
  read(index: number, kept: KeptJpeg): Buffer;
  close(): Promise<void>;
}
