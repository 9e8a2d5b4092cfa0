import type { RandomStream } from '../../random/random-stream.js';
import type { Picture } from './picture.js';
import type { Size, Step } from './transform.js';

/** A step in two halves, so that it can be applied with parameters from elsewhere. */
export interface DrawnStep<Parameters> {
  /** Draws the parameters for a picture of that size. The object may be the same at every call. */
  draw(picture: Size, random: RandomStream): Parameters;
  apply(picture: Picture, parameters: Parameters): void;
}

/** Both halves in one. */
export function drawAndApply<Parameters>(step: DrawnStep<Parameters>): Step {
  return (picture, random) => step.apply(picture, step.draw(picture, random));
}
