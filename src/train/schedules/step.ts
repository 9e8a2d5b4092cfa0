import { z } from 'zod';
import { byCount } from './by-count.js';

/** Multiplies the rate by `gamma` every `stepSize` epochs, as PyTorch's `StepLR`. */
export const step = byCount(
  'step',
  z.strictObject({ stepSize: z.int().min(1).default(30), gamma: z.number().positive().default(0.1) }),
  (epoch, { options: { stepSize, gamma }, baseRate }) => baseRate * gamma ** Math.floor(epoch / stepSize),
);
