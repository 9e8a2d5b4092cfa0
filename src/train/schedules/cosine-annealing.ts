import { z } from 'zod';
import { defineSchedule, type ScheduleSettings } from './schedule.js';

const etaMin = z.number().min(0);

const options = z.strictObject({
  tMax: z.int().min(1),
  etaMin: etaMin.default(0),
  /** Another `etaMin` once so many epochs are done, the phase going on. */
  etaMinAfter: z.strictObject({ epoch: z.int().min(0), etaMin }).optional(),
});

const state = z.strictObject({
  epoch: z.int().min(0),
  learningRate: z.number().min(0),
  /** That the rate was reached with. */
  tMax: z.int().min(1),
});

type State = z.output<typeof state>;
type Settings = ScheduleSettings<z.output<typeof options>>;

/**
 * Half a cosine from the first rate down to `etaMin` within `tMax` epochs, then up again, and so on, as
 * PyTorch's `CosineAnnealingLR` (Loshchilov & Hutter 2017, eq. 5, without restarts). Like there, each rate is
 * made from the one before, so that after a change of `etaMin` both give the same rates.
 */
export const cosineAnnealing = defineSchedule({
  name: 'cosineAnnealing',
  options,
  state,
  length: 'tMax',
  start: (settings) => at(0, settings),
  rate: ({ learningRate }) => learningRate,
  next: (before, _, settings) => follow(before, settings),
  // the step from one rate to the next makes no sense across two lengths
  adopt: (saved, settings) => (saved.tMax === settings.options.tMax ? saved : at(saved.epoch, settings)),
  rebase: ({ epoch }, settings) => at(epoch, settings),
});

/** The rate of an epoch as the closed form has it. */
function at(epoch: number, settings: Settings): State {
  const { baseRate } = settings;
  const { tMax } = settings.options;
  const low = lowest(epoch, settings);
  const learningRate = low + ((baseRate - low) * (1 + Math.cos((Math.PI * epoch) / tMax))) / 2;
  return { epoch, learningRate, tMax };
}

function follow({ epoch: before, learningRate: rate }: State, settings: Settings): State {
  const { baseRate } = settings;
  const { tMax } = settings.options;
  const epoch = before + 1;
  const low = lowest(epoch, settings);
  // from below a raised etaMin PyTorch's step would lead to rates below 0
  if (rate < low) return at(epoch, settings);
  const learningRate =
    (epoch - 1 - tMax) % (2 * tMax) === 0
      ? rate + ((baseRate - low) * (1 - Math.cos(Math.PI / tMax))) / 2
      : (heightOf(epoch, tMax) / heightOf(epoch - 1, tMax)) * (rate - low) + low;
  return { epoch, learningRate, tMax };
}

function heightOf(epoch: number, tMax: number): number {
  return 1 + Math.cos((Math.PI * epoch) / tMax);
}

/** `etaMin` on the way to an epoch: PyTorch's user changes it after the step to `etaMinAfter.epoch`. */
function lowest(epoch: number, { options: { etaMin: first, etaMinAfter } }: Settings): number {
  return etaMinAfter && epoch > etaMinAfter.epoch ? etaMinAfter.etaMin : first;
}
