import { z } from 'zod';
import { byEpoch } from './by-epoch.js';

/**
 * Half a cosine from the first rate down to `etaMin` within `tMax` epochs, then up again, and so on, as
 * PyTorch's `CosineAnnealingLR` (Loshchilov & Hutter 2017, eq. 5, without restarts).
 */
export const cosineAnnealing = byEpoch(
  'cosineAnnealing',
  z.strictObject({ tMax: z.int().min(1), etaMin: z.number().min(0).default(0) }),
  (epoch, { options: { tMax, etaMin }, baseRate }) =>
    etaMin + ((baseRate - etaMin) * (1 + Math.cos((Math.PI * epoch) / tMax))) / 2,
);
