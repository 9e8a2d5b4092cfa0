import { z } from 'zod';
import { defineSchedule } from './schedule.js';

const options = z.strictObject({
  mode: z.enum(['min', 'max']).default('max'),
  factor: z.number().positive().lt(1).default(0.5),
  patience: z.int().min(0).default(3),
  threshold: z.number().min(0).default(0.01),
  thresholdMode: z.enum(['rel', 'abs']).default('rel'),
  cooldown: z.int().min(0).default(0),
  minLr: z.number().min(0).default(0),
  epsilon: z.number().min(0).default(1e-8),
});

const state = z.strictObject({
  learningRate: z.number().min(0),
  /** Best metric so far; null before the first. */
  best: z.number().nullable(),
  badEpochs: z.int().min(0),
  cooldown: z.int().min(0),
});

/**
 * Multiplies the rate by `factor` when the metric has not become better for more than `patience` epochs, as
 * PyTorch's `ReduceLROnPlateau`.
 */
export const reduceLrOnPlateau = defineSchedule({
  name: 'reduceLrOnPlateau',
  options,
  state,
  needsMetric: true,
  start: ({ baseRate }) => ({ learningRate: baseRate, best: null, badEpochs: 0, cooldown: 0 }),
  rate: ({ learningRate }) => learningRate,
  next(before, metric, settings) {
    const { factor, patience, cooldown: pause, minLr, epsilon } = settings.options;
    const better = isBetter(metric, before.best, settings.options);
    const best = better ? metric : before.best;
    const cooling = before.cooldown > 0;
    const cooldown = cooling ? before.cooldown - 1 : 0;
    const badEpochs = better || cooling ? 0 : before.badEpochs + 1;
    if (badEpochs <= patience) return { ...before, best, badEpochs, cooldown };
    const reduced = Math.max(before.learningRate * factor, minLr);
    const learningRate = before.learningRate - reduced > epsilon ? reduced : before.learningRate;
    return { learningRate, best, badEpochs: 0, cooldown: pause };
  },
  rebase: (before, { baseRate }) => ({ ...before, learningRate: baseRate }),
});

function isBetter(
  metric: number,
  best: number | null,
  { mode, threshold, thresholdMode }: z.output<typeof options>,
): boolean {
  if (best === null) return !Number.isNaN(metric);
  const sign = mode === 'max' ? 1 : -1;
  const bar = thresholdMode === 'rel' ? best * (1 + sign * threshold) : best + sign * threshold;
  return mode === 'max' ? metric > bar : metric < bar;
}
