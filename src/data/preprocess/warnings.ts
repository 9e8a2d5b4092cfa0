import type { ClassNaming } from './class-names.js';
import type { DatasetSummary } from './dataset-files.js';
import type { ResolvedOptions } from './options.js';

/** What the user should know of a finished run. */
export function warningsFor(
  run: { summary: DatasetSummary; all: readonly ClassNaming[]; cleaned: boolean; resumed: number },
  options: ResolvedOptions,
): string[] {
  const { summary, all, cleaned, resumed } = run;
  const { table, ordered, idOf } = summary;
  const warnings: string[] = [];
  if (cleaned) warnings.push(`the leftovers of an interrupted run in ${options.out} were removed`);
  if (resumed > 0) {
    warnings.push(
      `went on with an interrupted run: ${resumed} of ${table.length} pictures were done already`,
    );
  }
  const lost = all.filter((_, label) => (idOf[label] as number) < 0);
  if (lost.length > 0) warnings.push(`without a single good picture, left out: ${listed(lost)}`);
  const [train, val] = [countsOf(summary, ordered.train), countsOf(summary, ordered.val)];
  const left = all.filter((_, label) => (idOf[label] as number) >= 0);
  if (options.valDir !== undefined) {
    const [unseen, untested] = [
      left.filter((_, id) => train[id] === 0),
      left.filter((_, id) => val[id] === 0),
    ];
    if (unseen.length > 0) warnings.push(`without a picture for training: ${listed(unseen)}`);
    if (untested.length > 0) warnings.push(`without a picture for validation: ${listed(untested)}`);
  } else if (options.valSplit > 0) {
    const single = left.filter((_, id) => train[id] === 1 && val[id] === 0);
    if (single.length > 0) {
      warnings.push(`only one picture, so it is for training and none for validation: ${listed(single)}`);
    }
  }
  return warnings;
}

/** Pictures of each class id. */
function countsOf({ table, classes, idOf }: DatasetSummary, indices: Uint32Array): number[] {
  const counts = new Array<number>(classes.length).fill(0);
  for (const index of indices) {
    const id = idOf[table.classes[index] as number] as number;
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
}

function listed(classes: readonly ClassNaming[]): string {
  const shown = classes
    .slice(0, 5)
    .map(({ name }) => name)
    .join(', ');
  const noun = classes.length === 1 ? 'class' : 'classes';
  return `${noun} ${classes.length > 5 ? `${shown} and ${classes.length - 5} more` : shown}`;
}
