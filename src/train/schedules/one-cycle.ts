import { z } from 'zod';
import { exitCodes, UserError } from '../../errors.js';
import { byCount } from './by-count.js';
import type { ScheduleSettings } from './schedule.js';

const momentum = z.number().min(0).lt(1);

const options = z
  .strictObject({
    /** Default: the learning rate of the run. */
    maxLr: z.number().positive().optional(),
    totalSteps: z.int().min(1),
    pctStart: z.number().min(0).max(1).default(0.3),
    annealStrategy: z.enum(['cos', 'linear']).default('cos'),
    divFactor: z.number().min(1).default(25),
    finalDivFactor: z.number().min(1).default(1e4),
    threePhase: z.boolean().default(false),
    /** Default: true where the optimizer has a momentum. */
    cycleMomentum: z.boolean().optional(),
    baseMomentum: momentum.default(0.85),
    maxMomentum: momentum.default(0.95),
  })
  .refine(({ threePhase, pctStart }) => !threePhase || pctStart <= 0.5, {
    path: ['pctStart'],
    message: 'with threePhase at most 0.5: the second phase is as long as the first',
  });

type Settings = ScheduleSettings<z.output<typeof options>>;

/** From one value to another; ends with `end`, counted in steps. */
interface Phase {
  readonly end: number;
  readonly rate: readonly [from: number, to: number];
  readonly momentum: readonly [from: number, to: number];
}

/**
 * Up to `maxLr`, then down far below the first rate, once in a run, and the momentum the other way, as PyTorch's
 * `OneCycleLR` (Smith & Topin 2018). It counts batches. After `totalSteps` the last rate stays.
 */
export const oneCycle = byCount(
  'oneCycle',
  options,
  (step, settings) => valueAt(step, settings, ({ rate }) => rate),
  {
    by: 'step',
    length: 'totalSteps',
    momentum: (step, settings) =>
      settings.options.cycleMomentum ? valueAt(step, settings, (phase) => phase.momentum) : undefined,
    complete(given, { cyclesMomentum = true }) {
      if (given.cycleMomentum && !cyclesMomentum) {
        throw new UserError("schedule 'oneCycle': this optimizer has no momentum to cycle", {
          exitCode: exitCodes.usage,
          hint: 'Leave out cycleMomentum or give false: the learning rate alone makes the cycle.',
        });
      }
      return { ...given, cycleMomentum: given.cycleMomentum ?? cyclesMomentum };
    },
  },
);

function valueAt(step: number, settings: Settings, of: (phase: Phase) => Phase['rate']): number {
  const last = settings.options.totalSteps - 1;
  const place = Math.min(step, last);
  const phases = phasesOf(settings);
  let start = 0;
  for (const phase of phases) {
    if (place <= phase.end) return between(of(phase), share(place, start, phase.end), settings);
    start = phase.end;
  }
  return of(phases.at(-1) as Phase)[1];
}

function phasesOf({ options: given, baseRate }: Settings): Phase[] {
  const { maxLr = baseRate, divFactor, finalDivFactor, totalSteps, pctStart, threePhase } = given;
  const { baseMomentum: low, maxMomentum: high } = given;
  const first = maxLr / divFactor;
  const least = first / finalDivFactor;
  const rise: Phase = { end: pctStart * totalSteps - 1, rate: [first, maxLr], momentum: [high, low] };
  const end = totalSteps - 1;
  if (!threePhase) return [rise, { end, rate: [maxLr, least], momentum: [low, high] }];
  const fall: Phase = { end: 2 * pctStart * totalSteps - 2, rate: [maxLr, first], momentum: [low, high] };
  return [rise, fall, { end, rate: [first, least], momentum: [high, high] }];
}

/** A phase without any length is at its end. */
function share(place: number, start: number, end: number): number {
  return end > start ? (place - start) / (end - start) : 1;
}

function between([from, to]: Phase['rate'], part: number, { options: { annealStrategy } }: Settings): number {
  return annealStrategy === 'cos'
    ? to + ((from - to) / 2) * (Math.cos(Math.PI * part) + 1)
    : (to - from) * part + from;
}
