import { z } from 'zod';
import { byCount } from './by-count.js';

/**
 * Half a cosine from the first rate down to `etaMin` within `t0` epochs, then again from the top, each cycle
 * `tMult` times as long as the one before, as PyTorch's `CosineAnnealingWarmRestarts` (Loshchilov & Hutter 2017).
 */
export const cosineAnnealingWarmRestarts = byCount(
  'cosineAnnealingWarmRestarts',
  z.strictObject({
    t0: z.int().min(1),
    tMult: z.int().min(1).default(1),
    etaMin: z.number().min(0).default(0),
  }),
  (epoch, { options: { t0, tMult, etaMin }, baseRate }) => {
    const { place, length } = cycleAt(epoch, t0, tMult);
    return etaMin + ((baseRate - etaMin) * (1 + Math.cos((Math.PI * place) / length))) / 2;
  },
);

/** How far into its cycle an epoch is, and how long that cycle is. */
function cycleAt(epoch: number, first: number, factor: number): { place: number; length: number } {
  if (factor === 1) return { place: epoch % first, length: first };
  let [place, length] = [epoch, first];
  while (place >= length) {
    place -= length;
    length *= factor;
  }
  return { place, length };
}
