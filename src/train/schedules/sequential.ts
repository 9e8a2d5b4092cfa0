import { z } from 'zod';
import type { Rule, SavedSchedule } from './rule.js';
import type { Unit } from './schedule.js';

const name = 'sequential';

/** Schedules one after the other; at each of the `milestones` the next starts anew from the base rate. */
export const sequentialOptions = z
  .strictObject({
    schedules: z.array(z.looseObject({ name: z.string() })).min(1),
    milestones: z.array(z.int().min(1)),
  })
  .refine(({ schedules, milestones }) => milestones.length === schedules.length - 1, {
    path: ['milestones'],
    message: 'one milestone between each schedule and the next',
  })
  .refine(({ milestones }) => milestones.every((each, index) => each > (milestones[index - 1] ?? 0)), {
    path: ['milestones'],
    message: 'each milestone comes after the one before',
  });

export interface SequentialSettings {
  readonly rules: readonly Rule[];
  readonly milestones: readonly number[];
  /** What the milestones count. */
  readonly by: Unit;
}

/** As PyTorch's `SequentialLR`; a plateau may be part of it. */
export function sequential({ rules, milestones, by }: SequentialSettings): Rule {
  const indexAt = (count: number): number => milestones.filter((milestone) => milestone <= count).length;
  const ruleAt = (count: number): Rule => rules[indexAt(count)] as Rule;
  /** When the schedule that runs has started. */
  const startAt = (count: number): number => milestones[indexAt(count) - 1] ?? 0;
  const put = (count: number, current: SavedSchedule): SavedSchedule => ({
    name,
    state: { count, since: startAt(count) },
    current,
  });
  const ask = <T>({ state, current }: SavedSchedule, what: (rule: Rule, current: SavedSchedule) => T): T =>
    what(ruleAt(countOf(state)), current as SavedSchedule);
  const pass = (at: SavedSchedule, move: (rule: Rule, current: SavedSchedule) => SavedSchedule) =>
    put(countOf(at.state), ask(at, move));
  /** One more: the next schedule starts, or the one that runs moves. */
  const count = (at: SavedSchedule, move: (rule: Rule, current: SavedSchedule) => SavedSchedule) => {
    const reached = countOf(at.state) + 1;
    return milestones.includes(reached) ? put(reached, ruleAt(reached).start()) : put(reached, ask(at, move));
  };
  return {
    perStep: by === 'step' || rules.some(({ perStep }) => perStep),
    start: () => put(0, (rules[0] as Rule).start()),
    rate: (at) => ask(at, (rule, current) => rule.rate(current)),
    momentum: (at) => ask(at, (rule, current) => rule.momentum(current)),
    step(at) {
      const move = (rule: Rule, current: SavedSchedule): SavedSchedule => rule.step(current);
      return by === 'step' ? count(at, move) : pass(at, move);
    },
    epoch(at, metric) {
      const move = (rule: Rule, current: SavedSchedule): SavedSchedule => rule.epoch(current, metric);
      if (by === 'epoch') return count(at, move);
      // one that started with the epoch's last batch had no part in that epoch
      return milestones.includes(countOf(at.state)) ? at : pass(at, move);
    },
    adopt({ name: saved, state: { count: reached, since }, current }) {
      if (saved !== name || !current || typeof reached !== 'number') return undefined;
      // under moved milestones the state may be another schedule's
      const adopted = since === startAt(reached) ? ruleAt(reached).adopt(current) : undefined;
      return adopted && put(reached, adopted);
    },
    rebase: (at) => pass(at, (rule, current) => rule.rebase(current)),
  };
}

function countOf({ count }: SavedSchedule['state']): number {
  return count ?? 0;
}
