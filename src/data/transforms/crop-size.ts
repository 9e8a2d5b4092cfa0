import { z } from 'zod';
import { PictureRejection } from './picture.js';
import type { Size } from './transform.js';

/** Options `height` and `width` of a crop, in pixels. */
export const cropSize = {
  height: z.int().min(1),
  width: z.int().min(1),
};

/** @throws PictureRejection when the crop does not fit into the picture */
export function requireRoom(picture: Size, crop: Size): void {
  if (picture.height < crop.height || picture.width < crop.width) {
    throw new PictureRejection(
      `${picture.width} x ${picture.height} pixels, smaller than the crop of ${crop.width} x ${crop.height}`,
    );
  }
}
