import { UserError } from '../../errors.js';
import type { TrainListener } from '../events.js';
import type { ScalerState } from './loss-scaler.js';

/** After so many steps in a row with an infinite gradient no smaller scale helps: 2^16 is 2^-24 by then. */
export const patience = 40;

/**
 * Tells of the steps that a span left out.
 * @throws UserError when none was good for a long time
 */
export function reportSkipped(
  before: ScalerState | undefined,
  after: ScalerState | undefined,
  listener: TrainListener,
): void {
  if (!after) return;
  const steps = after.skipped - (before?.skipped ?? 0);
  if (steps > 0) listener({ kind: 'skipped', steps, total: after.skipped, scale: after.scale });
  if (after.inARow < patience) return;
  throw new UserError(
    `the gradient was infinite or NaN in ${after.inARow} steps in a row, at any loss scale`,
    {
      hint: 'Go on from the last checkpoint with --precision bf16 or fp32, or with a smaller --lr.',
    },
  );
}
