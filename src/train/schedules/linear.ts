import { z } from 'zod';
import { byCount } from './by-count.js';

const factor = z.number().min(0).max(1);

/**
 * From `startFactor` times the rate to `endFactor` times it in a straight line of `totalIters` epochs, then
 * level, as PyTorch's `LinearLR`: its warm-up.
 */
export const linear = byCount(
  'linear',
  z.strictObject({
    startFactor: factor.positive().default(1 / 3),
    endFactor: factor.default(1),
    totalIters: z.int().min(1).default(5),
  }),
  (epoch, { options: { startFactor, endFactor, totalIters }, baseRate }) =>
    // rounding may lead past an end near 0
    epoch >= totalIters
      ? baseRate * endFactor
      : baseRate * (startFactor + ((endFactor - startFactor) * epoch) / totalIters),
);
