import { UserError } from '../../errors.js';
import type { TrainListener } from '../events.js';
import type { ScalerState } from './loss-scaler.js';

/** After so many steps in a row with an infinite gradient no smaller scale helps: 2^16 is 2^-24 by then. */
const patience = 40;

/** Whether no step will be good any more: a span ends there, long before its last batch perhaps. */
export function isHopeless(scaler: ScalerState | undefined): boolean {
  return scaler !== undefined && scaler.inARow >= patience;
}

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
  if (!isHopeless(after)) return;
  throw new UserError(
    `the gradient was infinite or NaN in ${after.inARow} steps in a row, at any loss scale`,
    {
      hint: 'Go on from the last checkpoint with --precision bf16 or fp32, or with a smaller --lr.',
    },
  );
}
