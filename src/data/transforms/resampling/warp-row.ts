import type { BorderMode } from './border.js';
import type { PixelSource } from './resampling.js';

/** A row of pixels to compute: where it is written, and where its pixels come from. Used again for every row. */
export interface WarpRow {
  target: DataView;
  /** Of the target, in the memory of its kernels. */
  targetAddress: number;
  /** Index in the target of the pixel of column 0. */
  at: number;
  /** Column x comes from (x0 + dx x, y0 + dy x). */
  x0: number;
  dx: number;
  y0: number;
  dy: number;
}

/** What lies beyond the source's edges. */
export interface Border {
  readonly mode: BorderMode;
  /** The fill as a pixel's word. */
  readonly word: number;
}

/** Computes the columns from `first` to before `last`. */
export type InsideKernel = (source: PixelSource, row: WarpRow, first: number, last: number) => void;

/** The same, for columns whose neighbours may lie beyond the edges. */
export type EdgeKernel = (
  source: PixelSource,
  row: WarpRow,
  first: number,
  last: number,
  border: Border,
) => void;

/** An interpolation. */
export interface WarpKernel {
  /** Neighbours that are read before and after the one that a coordinate is rounded down (or, when 0, to). */
  readonly before: number;
  readonly after: number;
  readonly inside: InsideKernel;
  readonly edge: EdgeKernel;
}
