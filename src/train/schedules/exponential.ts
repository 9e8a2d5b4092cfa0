import { z } from 'zod';
import { byCount } from './by-count.js';

/** Multiplies the rate by `gamma` after every epoch, as PyTorch's `ExponentialLR`. */
export const exponential = byCount(
  'exponential',
  z.strictObject({ gamma: z.number().positive().max(1) }),
  (epoch, { options: { gamma }, baseRate }) => baseRate * gamma ** epoch,
);
