import { z } from 'zod';
import { byEpoch } from './by-epoch.js';

/** Multiplies the rate by `gamma` every `stepSize` epochs, as PyTorch's `StepLR`. */
export const step = byEpoch(
  'step',
  z.strictObject({ stepSize: z.int().min(1).default(30), gamma: z.number().positive().default(0.1) }),
  (epoch, { options: { stepSize, gamma }, baseRate }) => baseRate * gamma ** Math.floor(epoch / stepSize),
);
