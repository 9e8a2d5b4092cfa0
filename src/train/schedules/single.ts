import type { Rule, SavedSchedule } from './rule.js';
import type { ScheduleDefinition, ScheduleSettings, ScheduleState, Unit } from './schedule.js';

/** One schedule by itself, counting epochs or batches. */
export function single(
  definition: ScheduleDefinition,
  settings: ScheduleSettings<Record<string, unknown>>,
  by: Unit,
): Rule {
  const { name } = definition;
  const put = (state: ScheduleState): SavedSchedule => ({ name, state: { ...state } });
  const next = ({ state }: SavedSchedule, metric: number): SavedSchedule =>
    put(definition.next(state, metric, settings));
  return {
    perStep: by === 'step',
    start: () => put(definition.start(settings)),
    rate: ({ state }) => definition.rate(state, settings),
    momentum: ({ state }) => definition.momentum?.(state, settings),
    step: (at) => (by === 'step' ? next(at, 0) : at),
    epoch(at, metric) {
      if (by === 'step' || (definition.needsMetric && metric === undefined)) return at;
      return next(at, metric ?? 0);
    },
    adopt(saved) {
      const parsed = saved.name === name ? definition.state.safeParse(saved.state) : undefined;
      if (!parsed?.success) return undefined;
      return put(definition.adopt?.(parsed.data, settings) ?? parsed.data);
    },
    rebase: ({ state }) => put(definition.rebase?.(state, settings) ?? state),
  };
}
