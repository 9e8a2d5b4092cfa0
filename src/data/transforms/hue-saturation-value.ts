import type { RandomStream } from '../../random/random-stream.js';
import { HsvShift } from './hsv.js';
import type { Picture } from './picture.js';
import { defineTransform } from './transform.js';
import { around0, drawFrom, type Range, valueRange } from './value-range.js';

interface Options {
  readonly hueShiftLimit: Range;
  readonly satShiftLimit: Range;
  readonly valShiftLimit: Range;
}

interface Shifts {
  readonly hueShift: number;
  readonly satShift: number;
  readonly valShift: number;
}

export function draw(options: Options, _picture: Picture, random: RandomStream): Shifts {
  const hueShift = drawFrom(options.hueShiftLimit, random);
  const satShift = drawFrom(options.satShiftLimit, random);
  const valShift = drawFrom(options.valShiftLimit, random);
  return { hueShift, satShift, valShift };
}

export function apply(picture: Picture, { hueShift, satShift, valShift }: Shifts, hsv: HsvShift): void {
  if (hueShift === 0 && satShift === 0 && valShift === 0) return;
  hsv.setHue(hueShift);
  hsv.setSaturation(satShift);
  hsv.setValue(valShift);
  hsv.apply(picture);
}

/**
 * Turns the hue (a circle of 180) and adds to saturation and value (0 to 255). Grey pixels stay grey.
 * @example HueSaturationValue({ hueShiftLimit: 20, satShiftLimit: 30, valShiftLimit: [-10, 20], p: 0.5 })
 */
export const HueSaturationValue = defineTransform({
  name: 'HueSaturationValue',
  options: {
    hueShiftLimit: valueRange({ within: [-180, 180], default: [-20, 20], single: around0 }),
    satShiftLimit: valueRange({ within: [-255, 255], default: [-30, 30], single: around0 }),
    valShiftLimit: valueRange({ within: [-255, 255], default: [-20, 20], single: around0 }),
  },
  p: 0.5,
  compile: (options) => {
    const hsv = new HsvShift();
    return (picture, random) => apply(picture, draw(options, picture, random), hsv);
  },
});
