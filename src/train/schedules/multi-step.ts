import { z } from 'zod';
import { byCount } from './by-count.js';

/** Multiplies the rate by `gamma` when each of the `milestones` (epochs done) is reached, as PyTorch's `MultiStepLR`. */
export const multiStep = byCount(
  'multiStep',
  z.strictObject({ milestones: z.array(z.int().min(1)).min(1), gamma: z.number().positive().default(0.1) }),
  (epoch, { options: { milestones, gamma }, baseRate }) =>
    baseRate * gamma ** milestones.filter((milestone) => milestone <= epoch).length,
);
