import { z } from 'zod';
import { exitCodes, UserError } from '../../errors.js';
import { didYouMean, readOptions } from '../../read-options.js';
import { constant } from './constant.js';
import { cosineAnnealing } from './cosine-annealing.js';
import { multiStep } from './multi-step.js';
import { reduceLrOnPlateau } from './reduce-lr-on-plateau.js';
import type { ScheduleDefinition, ScheduleSettings, ScheduleState } from './schedule.js';
import { step } from './step.js';

export type { ScheduleState };

const definitions = [
  reduceLrOnPlateau,
  step,
  multiStep,
  cosineAnnealing,
  constant,
] as unknown as readonly ScheduleDefinition[];

/** Short names that people may use, too. */
const aliases: Readonly<Record<string, string>> = { plateau: 'reduceLrOnPlateau', cosine: 'cosineAnnealing' };

/** A schedule with its options, plain JSON; what is left out has the schedule's default. */
export interface ScheduleSpec {
  /** `reduceLrOnPlateau` (or `plateau`), `step`, `multiStep`, `cosineAnnealing` (or `cosine`), `constant`. */
  readonly name: string;
  readonly [option: string]: unknown;
}

/** A state together with the name of the schedule that it belongs to. */
export const savedSchedule = z.strictObject({
  name: z.string(),
  state: z.record(z.string(), z.number().nullable()),
});
export type SavedSchedule = z.output<typeof savedSchedule>;

/** The learning rate from epoch to epoch. */
export class Schedule {
  readonly #definition: ScheduleDefinition;
  readonly #settings: ScheduleSettings<Record<string, unknown>>;
  #state: ScheduleState;

  /**
   * @param spec as {@link resolveSchedule} gives it
   * @param options.saved where an earlier run stopped; another schedule's state counts only as epochs done
   * @param options.epochs done so far
   */
  constructor(
    spec: ScheduleSpec,
    options: { baseRate: number; saved?: SavedSchedule | undefined; epochs?: number },
  ) {
    const { definition, options: given } = find(spec);
    const { baseRate, saved, epochs = 0 } = options;
    this.#definition = definition;
    this.#settings = { options: readOptions(owner(definition), definition.options, given), baseRate };
    const start = definition.start(this.#settings);
    const parsed = saved?.name === definition.name ? definition.state.safeParse(saved.state) : undefined;
    this.#state = parsed?.success ? parsed.data : 'epoch' in start ? { ...start, epoch: epochs } : start;
  }

  /** Learning rate of the epoch that comes next, or that runs. */
  get learningRate(): number {
    return this.#definition.rate(this.#state, this.#settings);
  }

  /** To be called after each epoch. @param metric validation accuracy in percent */
  step(metric: number): void {
    this.#state = this.#definition.next(this.#state, metric, this.#settings);
  }

  /** Goes on with another base rate from here. */
  rebase(): void {
    this.#state = this.#definition.rebase?.(this.#state, this.#settings.baseRate) ?? this.#state;
  }

  /** Plain JSON, for the checkpoint. */
  save(): SavedSchedule {
    return { name: this.#definition.name, state: { ...this.#state } };
  }
}

/**
 * Fills in all options.
 * @param options.epochs of the whole run, the default length of a cosine
 * @throws UserError for an unknown schedule or option (with the nearest known), or one out of range
 */
export function resolveSchedule(spec: ScheduleSpec, options: { epochs: number }): ScheduleSpec {
  const { definition, options: given } = find(spec);
  const { name } = definition;
  const filled =
    name === 'cosineAnnealing' && given.tMax === undefined ? { ...given, tMax: options.epochs } : given;
  return { name, ...readOptions(owner(definition), definition.options, filled) };
}

/**
 * Reads a schedule as people type it: `plateau`, `cosine,tMax=5,etaMin=1e-5`, `multiStep,milestones=30+60`.
 * @throws UserError for what is no `option=value`
 */
export function parseSchedule(text: string): ScheduleSpec {
  const [name = '', ...parts] = text.split(',').map((part) => part.trim());
  const options = parts.map((part) => {
    const match = /^(\w+)=(.+)$/.exec(part);
    if (!match) {
      throw new UserError(`schedule '${text}': '${part}' is not option=value`, {
        exitCode: exitCodes.usage,
        hint: 'for example cosine,tMax=5,etaMin=1e-5 or multiStep,milestones=30+60,gamma=0.1',
      });
    }
    const [, key = '', value = ''] = match;
    return [key, key === 'milestones' ? value.split('+').map(Number) : numberOrText(value)] as const;
  });
  return { name, ...Object.fromEntries(options) };
}

export function scheduleNames(): string[] {
  return definitions.map(({ name }) => name);
}

function numberOrText(text: string): number | string {
  return Number.isNaN(Number(text)) ? text : Number(text);
}

function owner({ name }: ScheduleDefinition): string {
  return `schedule '${name}'`;
}

function find({ name, ...options }: ScheduleSpec): {
  definition: ScheduleDefinition;
  options: Record<string, unknown>;
} {
  const wanted = (aliases[name] ?? name).toLowerCase();
  const definition = definitions.find((each) => each.name.toLowerCase() === wanted);
  if (definition) return { definition, options };
  const known = [...Object.keys(aliases), ...scheduleNames()];
  throw new UserError(`there is no schedule '${name}'`, {
    exitCode: exitCodes.usage,
    hint: `${didYouMean(name, known)}known schedules: ${known.join(', ')}`,
  });
}
