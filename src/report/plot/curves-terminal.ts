import asciichart from 'asciichart';
import { type Curves, type CurvesPanel, panels } from './curves.js';

export interface TerminalOptions {
  /** Columns of the terminal. */
  readonly columns: number;
  readonly colour: boolean;
}

interface Line {
  readonly label: string;
  readonly points: ReadonlyArray<{ readonly x: number; readonly y: number }>;
}

const height = 10;
const labelWidth = 9;
/** Below it a number is 0: asciichart cannot divide by what is less. */
const smallest = 1e-12;
/** Share of the height that a movement must have to be drawn. */
const leastMovement = 1e-6;
const colours = ['blue', 'red', 'green', 'magenta', 'yellow', 'cyan'] as const;

/** The charts one below the other, in characters. Without colours each line has a chart of its own. */
export function curvesTerminal(runs: readonly Curves[], options: TerminalOptions): string {
  const width = Math.max(20, Math.min(options.columns - labelWidth - 3, 100));
  const last = Math.max(1, ...runs.flatMap(({ history }) => history.map(({ epoch }) => epoch)));
  const charts = panels.flatMap((panel) => {
    const lines = linesOf(runs, panel);
    const groups = options.colour ? [lines] : lines.map((line) => [line]);
    return groups
      .filter((group) => group.length > 0)
      .map((group) => chart(panel, group, { ...options, width, last }));
  });
  return charts.join('\n');
}

function linesOf(runs: readonly Curves[], { training, validation }: CurvesPanel): Line[] {
  const alone = runs.length === 1;
  return runs
    .flatMap(({ name, history }): Line[] => {
      const line = (label: string, quantity: typeof training): Line => ({
        label: alone ? label : `${name}${label && ` ${label}`}`,
        points: history.flatMap((result) => {
          const y = result[quantity];
          return y === null ? [] : [{ x: result.epoch, y: Math.abs(y) < smallest ? 0 : y }];
        }),
      });
      if (!validation) return [line('', training)];
      return [line('training', training), line('validation', validation)];
    })
    .filter(({ points }) => points.length > 0);
}

function chart(
  { title, unit }: CurvesPanel,
  lines: readonly Line[],
  { width, last, colour }: TerminalOptions & { width: number; last: number },
): string {
  const shades = lines.map((_, index) => asciichart[colours[index % colours.length] ?? 'blue']);
  const labels = lines
    .map(({ label }, index) => (colour && label ? `${shades[index]}─ ${label}${asciichart.reset}` : label))
    .filter((label) => label !== '');
  const series = levelled(lines.map(({ points }) => sampled(points, { width, last })));
  const drawn = asciichart.plot(series, {
    height,
    offset: 2,
    colors: colour ? shades : [undefined],
    format: labelFormat(series.flat(), unit),
    // a line that stays where it is needs something to be measured against
    ...(new Set(series.flat()).size === 1 ? { min: 0 } : {}),
  });
  const ends = `epoch 1${String(last).padStart(width - 7)}`;
  return `${[title, ...labels].join('  ')}\n${drawn}\n${' '.repeat(labelWidth + 1)}${ends}\n`;
}

/** Lines that hardly move beside their height as ones that do not: asciichart counts up from height / movement. */
function levelled(series: number[][]): number[][] {
  const all = series.flat();
  const [least, most] = [Math.min(...all), Math.max(...all)];
  if (most - least > leastMovement * Math.max(Math.abs(least), Math.abs(most))) return series;
  return series.map((line) => line.map(() => most));
}

/** Numbers of the vertical axis, each with as many digits as tell neighbours apart. */
function labelFormat(values: readonly number[], unit: string): (value: number) => string {
  const largest = Math.max(...values.map(Math.abs));
  const range = Math.max(...values) - Math.min(...values) || largest || 1;
  const digits = Math.min(8, Math.max(0, 1 - Math.floor(Math.log10(range / height))));
  const text = (value: number): string =>
    digits > 6 ? value.toExponential(1) : value.toFixed(largest >= 1e6 ? 0 : digits);
  return (value) => `${text(value)}${unit}`.padStart(labelWidth);
}

/** The line at every column from epoch 1 to `last`, as far as it goes. */
function sampled(points: Line['points'], { width, last }: { width: number; last: number }): number[] {
  const values: number[] = [];
  const end = points[points.length - 1]?.x ?? 0;
  for (let column = 0; column < width; column++) {
    const x = 1 + (column / (width - 1)) * (last - 1);
    if (x > end + 1e-9 && values.length > 0) break;
    values.push(valueAt(points, x));
  }
  return values;
}

function valueAt(points: Line['points'], x: number): number {
  const after = points.findIndex((point) => point.x >= x);
  const next = points[after < 0 ? points.length - 1 : after];
  const before = points[after - 1];
  if (!next) return 0;
  if (!before) return next.y;
  return before.y + ((next.y - before.y) * (x - before.x)) / (next.x - before.x);
}
