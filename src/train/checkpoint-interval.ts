import { z } from 'zod';

/** How often a training saves. */
export interface CheckpointInterval {
  readonly every: number;
  readonly unit: 'epochs' | 'steps' | 'minutes';
}

const units = [
  { unit: 'epochs', names: ['', 'epoch', 'epochs'] },
  { unit: 'steps', names: ['step', 'steps'] },
  { unit: 'minutes', names: ['min', 'mins', 'minute', 'minutes'] },
] as const;

const error = 'epochs, steps or minutes, at least 1 of them: 5, 5epochs, 200steps, 10min, 0.5min';

/** As it stands in a configuration: a number of epochs, or a text such as `5epochs`, `200steps`, `10min`. */
export const checkpointIntervalSetting = z
  .union([z.number(), z.string()], { error })
  .refine((value) => parseInterval(value) !== undefined, { error });

export type CheckpointIntervalSetting = z.output<typeof checkpointIntervalSetting>;

/** @returns undefined for what is no interval */
export function parseInterval(setting: number | string): CheckpointInterval | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(String(setting));
  const name = match?.[2]?.toLowerCase();
  const unit = units.find(({ names }) => names.some((each) => each === name))?.unit;
  if (!unit) return undefined;
  const every = Number(match?.[1]);
  // a part of a minute is a time, a part of a step is nothing
  const valid = unit === 'minutes' ? every > 0 : Number.isInteger(every) && every >= 1;
  return valid && every <= 1e9 ? { every, unit } : undefined;
}

/**
 * Says when a training is to save. Minutes are counted from the last save by a clock that nobody sets.
 */
export class SavePlan {
  readonly #interval: CheckpointInterval;
  readonly #now: () => number;
  #savedAt: number;

  /** @param now milliseconds of a clock that only goes forward */
  constructor(setting: CheckpointIntervalSetting, now: () => number = () => performance.now()) {
    const interval = parseInterval(setting);
    if (!interval) throw new Error(`no interval: ${setting}`);
    this.#interval = interval;
    this.#now = now;
    this.#savedAt = now();
  }

  /** Batches that may be trained before a save is due, and milliseconds. */
  untilDue({ globalStep }: { globalStep: number }): { batches: number; milliseconds: number } {
    const { every, unit } = this.#interval;
    return {
      batches: unit === 'steps' ? every - (globalStep % every) : Number.POSITIVE_INFINITY,
      milliseconds:
        unit === 'minutes'
          ? Math.max(0, this.#savedAt + every * 60_000 - this.#now())
          : Number.POSITIVE_INFINITY,
    };
  }

  /** Whether to save at this place in the middle of an epoch. */
  dueWithin({ globalStep }: { globalStep: number }): boolean {
    const { every, unit } = this.#interval;
    if (unit === 'steps') return globalStep % every === 0;
    return unit === 'minutes' && this.untilDue({ globalStep }).milliseconds === 0;
  }

  /** Whether to save at the end of the epoch after which `epoch` are done. */
  dueAfter({ epoch, globalStep }: { epoch: number; globalStep: number }): boolean {
    const { every, unit } = this.#interval;
    return unit === 'epochs' ? epoch % every === 0 : this.dueWithin({ globalStep });
  }

  /** Counts from here; also to be told where a save that was due is left out. */
  passed(): void {
    this.#savedAt = this.#now();
  }
}
