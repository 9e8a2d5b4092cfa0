import { z } from 'zod';
import { exitCodes, UserError } from '../../errors.js';
import { didYouMean } from '../../read-options.js';
import { constant } from './constant.js';
import { cosineAnnealing } from './cosine-annealing.js';
import { cosineAnnealingWarmRestarts } from './cosine-annealing-warm-restarts.js';
import { exponential } from './exponential.js';
import { linear } from './linear.js';
import { multiStep } from './multi-step.js';
import { oneCycle } from './one-cycle.js';
import { polynomial } from './polynomial.js';
import { reduceLrOnPlateau } from './reduce-lr-on-plateau.js';
import type { ScheduleDefinition } from './schedule.js';
import { sequentialOptions } from './sequential.js';
import { step } from './step.js';
import { warmUp } from './warm-up.js';

const definitions = [
  reduceLrOnPlateau,
  step,
  multiStep,
  exponential,
  linear,
  polynomial,
  cosineAnnealing,
  cosineAnnealingWarmRestarts,
  oneCycle,
  constant,
] as unknown as readonly ScheduleDefinition[];

/** Short names that people may use, too. */
const aliases: Readonly<Record<string, string>> = {
  plateau: 'reduceLrOnPlateau',
  cosine: 'cosineAnnealing',
  warmRestarts: 'cosineAnnealingWarmRestarts',
};

const names = [...definitions.map(({ name }) => name), 'sequential'];

/** What a name stands for: one schedule by itself, or several one after the other. */
export type Found =
  | { readonly kind: 'single'; readonly name: string; readonly definition: ScheduleDefinition }
  | { readonly kind: 'sequential'; readonly name: string };

export function scheduleNames(): string[] {
  return [...names];
}

/** @throws UserError for an unknown schedule, with the nearest known */
export function findSchedule(name: string): Found {
  const alias = Object.keys(aliases).find((each) => each.toLowerCase() === name.toLowerCase());
  const wanted = ((alias && aliases[alias]) ?? name).toLowerCase();
  if (wanted === 'sequential') return { kind: 'sequential', name: wanted };
  const definition = definitions.find((each) => each.name.toLowerCase() === wanted);
  if (definition) return { kind: 'single', definition, name: definition.name };
  const known = [...Object.keys(aliases), ...names];
  throw new UserError(`there is no schedule '${name}'`, {
    exitCode: exitCodes.usage,
    hint: `${didYouMean(name, known)}known schedules: ${known.join(', ')}`,
  });
}

/** Options that every schedule takes beside its own. */
const common = { by: z.enum(['epoch', 'step']).optional(), warmup: warmUp.optional() };

/** All options of a schedule. */
export function schemaOf(found: Found): z.ZodObject {
  const own: z.ZodObject = found.kind === 'single' ? found.definition.options : sequentialOptions;
  return own.safeExtend(common);
}
