import type { CheckpointInfo } from '../../train/checkpoint.js';
import { formatDuration } from '../duration.js';

/** A run's row of the results table; accuracies in percent, null where there was nothing to measure. */
export interface ComparisonRow {
  readonly run: string;
  readonly architecture: string;
  readonly epochs: number;
  /** Of the last epoch, as the two accuracies below. */
  readonly trainingLoss: number | null;
  readonly validationAccuracy: number | null;
  readonly trainingAccuracy: number | null;
  /** Epoch with the best validation accuracy (training accuracy where nothing is validated). */
  readonly bestEpoch: number | null;
  readonly bestAccuracy: number | null;
  /** Median over the epochs. */
  readonly secondsPerEpoch: number | null;
}

export function comparisonRow({ name, info }: { name: string; info: CheckpointInfo }): ComparisonRow {
  const { history, best, model, epoch } = info;
  const last = history[history.length - 1];
  return {
    run: name,
    architecture: model.name,
    epochs: epoch,
    trainingLoss: last?.loss ?? null,
    validationAccuracy: last?.valAccuracy ?? null,
    trainingAccuracy: last?.trainAccuracy ?? null,
    bestEpoch: best?.epoch ?? null,
    bestAccuracy: best?.accuracy ?? null,
    secondsPerEpoch: median(history.map(({ seconds }) => seconds)),
  };
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return null;
  if (sorted.length % 2) return sorted[middle] as number;
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

const columns: ReadonlyArray<{ title: string; cell: (row: ComparisonRow) => string; right: boolean }> = [
  { title: 'Architecture', cell: ({ architecture }) => architecture, right: false },
  { title: 'Epochs', cell: ({ epochs }) => String(epochs), right: true },
  { title: 'Training Loss', cell: ({ trainingLoss }) => fixed(trainingLoss, 4), right: true },
  {
    title: 'Validation Accuracy',
    cell: ({ validationAccuracy }) => percent(validationAccuracy),
    right: true,
  },
  { title: 'Training Accuracy', cell: ({ trainingAccuracy }) => percent(trainingAccuracy), right: true },
  { title: 'Best Epoch', cell: bestCell, right: true },
  { title: 'Time per Epoch', cell: ({ secondsPerEpoch }) => time(secondsPerEpoch), right: true },
  { title: 'Run', cell: ({ run }) => run, right: false },
];

/** The table for a terminal. */
export function comparisonText(rows: readonly ComparisonRow[]): string {
  const body = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const widths = columns.map(({ title }, at) =>
    Math.max(title.length, ...body.map((cells) => (cells[at] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) =>
        columns[at]?.right ? cell.padStart(widths[at] as number) : cell.padEnd(widths[at] as number),
      )
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return `${[line(columns.map(({ title }) => title)), rule, ...body.map(line)].join('\n')}\n`;
}

/** The table as Markdown, for a readme. */
export function comparisonMarkdown(rows: readonly ComparisonRow[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  const escaped = (text: string): string => text.replace(/[\\|`*_<[\]]/g, '\\$&').replace(/\s+/g, ' ');
  return [
    line(columns.map(({ title }) => title)),
    line(columns.map(({ right }) => (right ? '---:' : '---'))),
    ...rows.map((row) => line(columns.map(({ cell }) => escaped(cell(row))))),
  ].join('');
}

function bestCell({ bestEpoch, bestAccuracy }: ComparisonRow): string {
  return bestEpoch === null ? '–' : `${bestEpoch} (${percent(bestAccuracy)})`;
}

function percent(value: number | null): string {
  return value === null ? '–' : `${fixed(value, 2)}%`;
}

function fixed(value: number | null, digits: number): string {
  return value === null ? '–' : value.toFixed(digits);
}

function time(seconds: number | null): string {
  return seconds === null ? '–' : formatDuration(seconds);
}
