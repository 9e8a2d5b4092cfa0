import { type ScaleLinear, scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { type Markup, markup } from '../html/markup.js';
import type { TextPainter } from './text-painter.js';
import type { ChartTheme } from './theme.js';

/** One line of a chart. */
export interface ChartSeries {
  /** Null values leave a gap. */
  readonly points: ReadonlyArray<{ readonly x: number; readonly y: number | null }>;
  readonly colour: string;
  readonly dashed?: boolean;
}

export interface LineChartOptions {
  readonly title: string;
  readonly xLabel: string;
  readonly series: readonly ChartSeries[];
  /** Place and size of the whole chart, titles included. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly theme: ChartTheme;
  readonly text: TextPainter;
  /** Behind each number of the vertical axis. */
  readonly unit?: string;
}

interface Scales {
  readonly sx: ScaleLinear<number, number>;
  readonly sy: ScaleLinear<number, number>;
}

const margin = { left: 56, right: 12, top: 30, bottom: 42 };
const size = { title: 14, tick: 12 };

/** Lines over whole numbers from 1, such as epochs; the vertical axis begins at 0. */
export function lineChart(options: LineChartOptions): Markup {
  const { title, xLabel, series, x, y, width, height, theme, text } = options;
  const [left, right] = [x + margin.left, x + width - margin.right];
  const [top, bottom] = [y + margin.top, y + height - margin.bottom];
  const points = series.flatMap((each) => each.points);
  const xs = points.map((point) => point.x);
  const ys = points.flatMap((point) => (point.y === null ? [] : [point.y]));
  const [first, last] = [Math.min(1, ...xs), Math.max(2, ...xs)];
  const sx = scaleLinear([first, last], [left, right]);
  const sy = scaleLinear([Math.min(0, ...ys), Math.max(...ys, 0) || 1], [bottom, top]).nice(5);
  const frame = { left, right, top, bottom };
  return markup`<g>
${text(title, { x: left, y: y + 16, size: size.title, colour: theme.text, bold: true })}
${yAxis({ sy }, frame, options)}
${xAxis({ sx }, frame, options)}
${text(xLabel, { x: (left + right) / 2, y: bottom + 36, size: size.tick, colour: theme.muted, anchor: 'middle' })}
${series.map((each) => seriesLine(each, { sx, sy }))}
</g>`;
}

interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function yAxis({ sy }: Pick<Scales, 'sy'>, { left, right }: Frame, options: LineChartOptions): Markup[] {
  const { theme, text, unit = '' } = options;
  const ticks = sy.ticks(5);
  const labels = tickLabels(ticks);
  return ticks.map((tick, index) => {
    const at = round(sy(tick));
    return markup`<path d="M${left} ${at}H${right}" stroke="${theme.grid}" fill="none"/>${text(
      `${labels[index]}${unit}`,
      {
        ...{ x: left - 7, y: at + 4, size: size.tick, colour: theme.muted, anchor: 'end' },
      },
    )}`;
  });
}

function xAxis({ sx }: Pick<Scales, 'sx'>, { bottom }: Frame, { theme, text }: LineChartOptions): Markup[] {
  return wholeTicks(sx).map((tick) => {
    const at = round(sx(tick));
    return markup`<path d="M${at} ${bottom}v5" stroke="${theme.grid}" fill="none"/>${text(String(tick), {
      ...{ x: at, y: bottom + 18, size: size.tick, colour: theme.muted, anchor: 'middle' },
    })}`;
  });
}

/** Whole numbers with the first among them: epochs begin with 1, where round numbers alone would leave it out. */
function wholeTicks(sx: ScaleLinear<number, number>): number[] {
  const [first = 1] = sx.domain();
  const ticks = sx.ticks(6).filter(Number.isInteger);
  const step = (ticks[1] ?? 2) - (ticks[0] ?? 1);
  return [first, ...ticks.filter((tick) => tick - first >= step / 2)];
}

function seriesLine({ points, colour, dashed = false }: ChartSeries, { sx, sy }: Scales): Markup {
  const path = line<ChartSeries['points'][number]>()
    .defined((point) => point.y !== null)
    .x((point) => round(sx(point.x)))
    .y((point) => round(sy(point.y ?? 0)))(points as Array<ChartSeries['points'][number]>);
  // a point between two gaps has no line
  const lonely = points.filter(
    ({ y }, at) => y !== null && (points[at - 1]?.y ?? null) === null && (points[at + 1]?.y ?? null) === null,
  );
  const dash = dashed ? markup` stroke-dasharray="5 4"` : '';
  return markup`<path d="${path ?? ''}" fill="none" stroke="${colour}" stroke-width="2" stroke-linejoin="round"${dash}/>${lonely.map(
    (point) =>
      markup`<circle cx="${round(sx(point.x))}" cy="${round(sy(point.y ?? 0))}" r="3.5" fill="${colour}"/>`,
  )}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Labels of an axis: short, alike, and without the rounding errors of steps of a tenth. */
function tickLabels(ticks: readonly number[]): string[] {
  const tiny = Math.max(...ticks.map(Math.abs)) < 1e-3;
  return ticks.map((tick) => {
    const rounded = Number(tick.toPrecision(6));
    return tiny && rounded !== 0 ? rounded.toExponential() : String(rounded);
  });
}
