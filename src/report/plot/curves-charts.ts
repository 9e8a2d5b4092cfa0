import { type ChartSeries, lineChart } from '../charts/line-chart.js';
import type { TextPainter } from '../charts/text-painter.js';
import { type ChartTheme, seriesColour } from '../charts/theme.js';
import type { Markup } from '../html/markup.js';
import type { Curves, CurvesPanel } from './curves.js';

export interface CurvesChartOptions {
  readonly runs: readonly Curves[];
  readonly panel: CurvesPanel;
  readonly theme: ChartTheme;
  readonly text: TextPainter;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * One chart of one or several runs. One run alone has a colour for training and one for validation; of
 * several each has its colour, and training is dashed.
 */
export function curvesChart({ runs, panel, theme, ...place }: CurvesChartOptions): Markup {
  const { title, training, validation, unit } = panel;
  const series = runs.flatMap(({ history }, index): ChartSeries[] => {
    const points = (quantity: typeof training): ChartSeries['points'] =>
      history.map((result) => ({ x: result.epoch, y: result[quantity] }));
    const alone = runs.length === 1;
    const colour = seriesColour(theme, index);
    if (!validation) return [{ points: points(training), colour }];
    return [
      { points: points(training), colour, dashed: !alone },
      { points: points(validation), colour: alone ? seriesColour(theme, 1) : colour },
    ];
  });
  return lineChart({ ...place, title, xLabel: 'Epoch', series, theme, unit });
}
