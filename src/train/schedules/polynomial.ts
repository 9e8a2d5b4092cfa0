import { z } from 'zod';
import { byCount } from './by-count.js';

/** Down to 0 within `totalIters` epochs as (1 - epoch / totalIters) ^ `power`, as PyTorch's `PolynomialLR`. */
export const polynomial = byCount(
  'polynomial',
  z.strictObject({ totalIters: z.int().min(1).default(5), power: z.number().positive().default(1) }),
  (epoch, { options: { totalIters, power }, baseRate }) =>
    baseRate * (1 - Math.min(totalIters, epoch) / totalIters) ** power,
  { length: 'totalIters' },
);
