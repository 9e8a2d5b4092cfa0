import type { PictureSettings } from './options.js';

/** A picture whose sides differ by more than this factor is rejected: it would grow without measure. */
export const maximumAspect = 20;

/** Size to resize to, and the part of it to keep. */
export interface Geometry {
  readonly resized: { readonly width: number; readonly height: number };
  /** Left and top are offsets into the resized picture. */
  readonly kept: {
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
  };
}

/** Smallest size of the same shape as the source that covers `width` x `height`. */
function cover(
  source: { width: number; height: number },
  width: number,
  height: number,
): Geometry['resized'] {
  const scale = Math.max(width / source.width, height / source.height);
  return {
    width: Math.max(width, Math.round(source.width * scale)),
    height: Math.max(height, Math.round(source.height * scale)),
  };
}

/** What becomes of an upright picture of `source` pixels under the size options. */
export function geometryOf(
  source: { width: number; height: number },
  settings: Pick<PictureSettings, 'size' | 'centerCrop'>,
): Geometry {
  const { size, centerCrop } = settings;
  const wanted = typeof size === 'number' ? { width: size, height: size } : size;
  if (!centerCrop) {
    const resized = typeof size === 'number' ? cover(source, size, size) : wanted;
    return { resized, kept: { left: 0, top: 0, ...resized } };
  }
  const resized = cover(source, wanted.width, wanted.height);
  return {
    resized,
    kept: {
      left: Math.floor((resized.width - wanted.width) / 2),
      top: Math.floor((resized.height - wanted.height) / 2),
      width: wanted.width,
      height: wanted.height,
    },
  };
}
