import { z } from 'zod';

/** A straight line up to the base rate in front of any schedule, which starts when it is over. */
export const warmUp = z
  .strictObject({
    /** Its length; a fraction of an epoch only by steps. */
    epochs: z.number().positive().optional(),
    /** Its length in batches instead. */
    steps: z.int().min(1).optional(),
    /** Share of the base rate to begin with. Default: 1/3, as PyTorch's `LinearLR`. */
    startFactor: z
      .number()
      .positive()
      .max(1)
      .default(1 / 3),
    /** Whether the rate rises after each epoch or after each batch. Default: epochs, or what the length is in. */
    by: z.enum(['epoch', 'step']).optional(),
  })
  .refine(({ epochs, steps }) => (epochs === undefined) !== (steps === undefined), {
    message: 'either epochs or steps',
  })
  .refine(({ epochs = 1, by }) => by === 'step' || Number.isInteger(epochs), {
    path: ['epochs'],
    message: "a fraction of an epoch needs by: 'step'",
  })
  .refine(({ steps, by }) => steps === undefined || by !== 'epoch', {
    path: ['by'],
    message: 'a length in steps goes by steps',
  });

export type WarmUp = z.output<typeof warmUp>;

/** How a warm-up looks as the first part of a sequence. */
export function warmUpLine(
  { epochs = 0, steps, startFactor, by }: WarmUp,
  stepsPerEpoch: number,
): { milestone: number; milestoneBy: 'epoch' | 'step'; spec: { name: string; [option: string]: unknown } } {
  const perStep = steps !== undefined || by === 'step';
  const length = steps ?? Math.max(1, Math.round(epochs * (perStep ? stepsPerEpoch : 1)));
  const spec = { name: 'linear', startFactor, totalIters: length, by: perStep ? 'step' : 'epoch' };
  // a warm-up of whole epochs ends with an epoch, however many batches that has
  const whole = steps === undefined && Number.isInteger(epochs);
  return whole
    ? { milestone: epochs, milestoneBy: 'epoch', spec }
    : { milestone: length, milestoneBy: 'step', spec };
}

/** Epochs that it takes, whole or in part. */
export function warmUpEpochs({ epochs, steps = 0 }: WarmUp, stepsPerEpoch: number): number {
  return epochs ?? steps / stepsPerEpoch;
}
