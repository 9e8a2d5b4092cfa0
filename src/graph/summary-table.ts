import type { Pair } from './ops/window.js';
import type { Summary, SummaryRow } from './summary.js';

const columns = [
  'Layer type',
  'Output size',
  'Kernel size',
  '# of kernels',
  'Stride',
  'Padding',
  'Parameters',
];

/**
 * A summary as plain text: the layer table and the totals.
 * @param options.names a first column with each layer's path
 */
export function summaryTable(summary: Summary, options: { names?: boolean } = {}): string {
  const header = options.names ? ['Name', ...columns] : columns;
  const rows = [inputRow(summary), ...summary.rows.map(cells)].map(([name = '', ...rest]) =>
    options.names ? [name, ...rest] : rest,
  );
  return `${[...align([header, ...rows], options.names ? 2 : 1), '', ...totals(summary)].join('\n')}\n`;
}

function inputRow({ input }: Summary): string[] {
  return ['', 'Input Image', extents(input), '', '', '', '', ''];
}

function cells({ name, type, output, window, kernels, parameters }: SummaryRow): string[] {
  const windowCells = [
    window ? pair(window.kernel) : '',
    kernels ? number(kernels) : '',
    window ? pair(window.stride) : '',
    window ? pair(window.padding) : '',
  ];
  return [name, type, extents(output), ...windowCells, parameters ? number(parameters) : ''];
}

function totals(summary: Summary): string[] {
  const { input, parameters, statistics, flops, multiplyAdds, activationBytes } = summary;
  const [, height, width] = input;
  return align(
    [
      ['Parameters', `${number(parameters)}, all trainable (${megabytes(4 * parameters)} in f32)`],
      ['Running statistics', number(statistics)],
      [
        'FLOPs',
        `${giga(flops)} G forward for one picture of ${height} x ${width}, a multiply-add counted as two`,
      ],
      ['Multiply-adds', `${giga(multiplyAdds)} G in convolutions and linear layers`],
      ['Activations', `${megabytes(activationBytes)} in f32: all layers' results for one picture`],
    ],
    2,
  );
}

/** Pads the columns: the first `left` ones to the left, the others, numbers, to the right. */
function align(rows: readonly string[][], left: number): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  return rows.map((cells) =>
    cells
      .map((cell, column) =>
        column < left ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** CxHxW as `H x W x C`, a vector as `1 x C`: the order of the original's table. */
function extents([channels = 1, ...plane]: readonly number[]): string {
  return [...(plane.length ? plane : [1]), channels].join(' x ');
}

function pair([height, width]: Pair): string {
  return height === width ? String(height) : `${height} x ${width}`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function giga(value: number): string {
  return (value / 1e9).toPrecision(3);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
