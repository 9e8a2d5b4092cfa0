import { z } from 'zod';

/** What a loss scaler knows; plain JSON, in each checkpoint. */
export const scalerState = z.object({
  scale: z.number().positive(),
  /** Good steps since the scale last changed. */
  good: z.int().min(0),
  /** Steps of the whole run that were left out because a gradient was infinite or NaN. */
  skipped: z.int().min(0),
  /** Of these, how many without a good one between them up to now. */
  inARow: z.int().min(0),
});

export type ScalerState = Readonly<z.output<typeof scalerState>>;

export interface ScalerOptions {
  /** Good steps after which the scale grows. */
  readonly growthInterval?: number;
  readonly growth?: number;
  readonly backoff?: number;
}

/** PyTorch's GradScaler starts with 2^16. */
export const firstScale: ScalerState = { scale: 65_536, good: 0, skipped: 0, inARow: 0 };

/**
 * The scale after a step, as torch.amp.GradScaler sets it (Micikevicius et al. 2018, section 3.2): halved after a
 * step with an infinite gradient, doubled after 2000 good ones in a row.
 */
export function scalerAfter(
  state: ScalerState,
  foundInfinite: boolean,
  { growthInterval = 2000, growth = 2, backoff = 0.5 }: ScalerOptions = {},
): ScalerState {
  const { scale, good, skipped, inARow } = state;
  if (foundInfinite) {
    return { scale: scale * backoff, good: 0, skipped: skipped + 1, inARow: inARow + 1 };
  }
  if (good + 1 < growthInterval) return { scale, good: good + 1, skipped, inARow: 0 };
  // a scale that is no float any more does not grow
  const grown = Math.fround(scale * growth);
  return { scale: Number.isFinite(grown) ? grown : scale, good: 0, skipped, inARow: 0 };
}
