import { exitCodes, UserError } from '../../errors.js';
import { readOptions } from '../../read-options.js';
import { type Found, findSchedule, schemaOf } from './registry.js';
import type { Rule } from './rule.js';
import type { ScheduleRun, Unit } from './schedule.js';
import { sequential } from './sequential.js';
import { single } from './single.js';
import { type WarmUp, warmUp, warmUpEpochs, warmUpLine } from './warm-up.js';

/** A schedule with its options, plain JSON; what is left out has the schedule's default. */
export interface ScheduleSpec {
  /**
   * `reduceLrOnPlateau` (or `plateau`), `step`, `multiStep`, `exponential`, `linear`, `polynomial`,
   * `cosineAnnealing` (or `cosine`), `cosineAnnealingWarmRestarts` (or `warmRestarts`), `oneCycle`, `constant`,
   * `sequential`.
   */
  readonly name: string;
  readonly [option: string]: unknown;
}

type Options = Readonly<Record<string, unknown>>;

/**
 * Fills in all options.
 * @param run whose length a cosine, a polynomial or a cycle has unless it is told another
 * @throws UserError for an unknown schedule or option (with the nearest known), or one out of range
 */
export function resolveSchedule({ name, ...given }: ScheduleSpec, run: ScheduleRun): ScheduleSpec {
  const found = findSchedule(name);
  const by = unitOf(found, given);
  const left: ScheduleRun = { ...run, epochs: epochsLeft(found, given, run) };
  const options = readSchedule(found, { ...lengthFor(found, by, left), ...given, by });
  return { name: found.name, ...complete(found, options, left) };
}

/** @param spec as {@link resolveSchedule} gives it */
export function ruleFor(
  { name, ...given }: ScheduleSpec,
  run: { readonly baseRate: number; readonly stepsPerEpoch: number },
): Rule {
  const found = findSchedule(name);
  const by = unitOf(found, given);
  const { warmup, by: _, ...options } = readSchedule(found, given);
  const rule =
    found.kind === 'single'
      ? single(found.definition, { options, baseRate: run.baseRate }, by)
      : sequential({
          rules: (options.schedules as ScheduleSpec[]).map((each) => ruleFor(each, run)),
          milestones: options.milestones as number[],
          by,
        });
  if (warmup === undefined) return rule;
  const { milestone, milestoneBy, spec } = warmUpLine(warmup as WarmUp, run.stepsPerEpoch);
  return sequential({ rules: [ruleFor(spec, run), rule], milestones: [milestone], by: milestoneBy });
}

function readSchedule(found: Found, given: Options): Options {
  const options = readOptions(owner(found), schemaOf(found), given);
  if (found.kind === 'single' && found.definition.needsMetric && options.by === 'step') {
    throw new UserError(`${owner(found)} goes by epochs: there is no accuracy after a step`, {
      exitCode: exitCodes.usage,
      hint: "Leave out by: 'step'.",
    });
  }
  return options;
}

function complete(found: Found, options: Options, run: ScheduleRun): Options {
  if (found.kind === 'single') return { ...options, ...found.definition.complete?.(options, run) };
  const milestones = options.milestones as number[];
  const unit = options.by === 'step' ? run.stepsPerEpoch : 1;
  const schedules = (options.schedules as ScheduleSpec[]).map((each, index) => {
    const end = (milestones[index] ?? run.epochs * unit) / unit;
    const start = (milestones[index - 1] ?? 0) / unit;
    return resolveSchedule(each, { ...run, epochs: Math.max(0, end - start) });
  });
  return { ...options, schedules };
}

function unitOf(found: Found, { by }: Options): Unit {
  if (by !== undefined) return by as Unit;
  return (found.kind === 'single' && found.definition.by) || 'epoch';
}

/** Epochs after the warm-up. */
function epochsLeft(found: Found, { warmup }: Options, { epochs, stepsPerEpoch }: ScheduleRun): number {
  if (warmup === undefined) return epochs;
  const read = readOptions(`warmup of ${owner(found)}`, warmUp, warmup);
  return Math.max(0, epochs - warmUpEpochs(read, stepsPerEpoch));
}

function lengthFor(found: Found, by: Unit, { epochs, stepsPerEpoch }: ScheduleRun): Options {
  if (found.kind !== 'single' || found.definition.length === undefined) return {};
  const length = by === 'step' ? epochs * stepsPerEpoch : epochs;
  return { [found.definition.length]: Math.max(1, Math.round(length)) };
}

function owner({ name }: Found): string {
  return `schedule '${name}'`;
}
