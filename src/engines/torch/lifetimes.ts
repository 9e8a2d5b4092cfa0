import { makesOf, readsOf, type Slot, type Step } from './step.js';

/** What happens to the tensors of one step when it has run. */
export interface Ending {
  /** Read by nobody afterwards and given to the step once: handed over instead of shared. */
  readonly moved: ReadonlySet<Slot>;
  /** Read by nobody afterwards, to be released after the step. */
  readonly released: readonly Slot[];
}

/**
 * Says for each step which tensors end with it.
 * @param kept slots that stay until the next run: named outputs
 */
export function findEndings(steps: readonly Step[], kept: ReadonlySet<Slot>): Ending[] {
  const last = new Map<Slot, number>();
  steps.forEach((step, index) => {
    for (const slot of [...makesOf(step), ...readsOf(step)]) last.set(slot, index);
  });
  return steps.map((step, index) => {
    const reads = readsOf(step);
    const ending = new Set(
      [...reads, ...makesOf(step)].filter(
        (slot) => last.get(slot) === index && !slot.fixed && !slot.kept && !kept.has(slot),
      ),
    );
    const once = (slot: Slot): boolean => reads.filter((each) => each === slot).length === 1;
    const moved = step.kind === 'dispatch' ? [...ending].filter(once) : [];
    return {
      moved: new Set(moved),
      released: [...ending].filter((slot) => !moved.includes(slot)),
    };
  });
}

/** Bytes of the tensors that are alive at once, at most; an operation's own working memory is not known. */
export function peakBytes(steps: readonly Step[], endings: readonly Ending[]): number {
  let live = 0;
  let peak = 0;
  steps.forEach((step, index) => {
    for (const slot of makesOf(step)) live += slot.bytes;
    peak = Math.max(peak, live);
    const { moved, released } = endings[index] as Ending;
    for (const slot of [...moved, ...released]) live -= slot.bytes;
  });
  return peak;
}
