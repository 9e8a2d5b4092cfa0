import { paintText, type TextPainter } from '../charts/text-painter.js';
import { printTheme, seriesColour } from '../charts/theme.js';
import { type Markup, markup } from '../html/markup.js';
import { type Curves, panels } from './curves.js';
import { curvesChart } from './curves-charts.js';

const panelSize = { width: 400, height: 320 };
const edge = 16;
const row = 22;
const gap = 10;
const longestLabel = 120;
const theme = printTheme;

interface LegendEntry {
  readonly label: string;
  readonly colour: string;
  readonly dashed?: boolean;
}

/** Loss, accuracy and learning rate of runs side by side, as an SVG file. */
export function curvesSvg(runs: readonly Curves[], text: TextPainter = paintText): string {
  const width = 2 * edge + panels.length * panelSize.width;
  const entries = legend(runs);
  const top = edge + row * (1 + entries.length) + gap;
  const height = top + panelSize.height + edge;
  const charts = panels.map((panel, index) =>
    curvesChart({
      ...{ runs, panel, theme, text, ...panelSize },
      x: edge + index * panelSize.width,
      y: top,
    }),
  );
  return String(markup`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Inter, system-ui, sans-serif">
<title>Training curves of ${runs.map(({ name }) => name).join(', ')}</title>
<rect width="${width}" height="${height}" fill="#fff"/>
${text(shortened(heading(runs)), { x: edge + 6, y: edge + 12, size: 16, colour: theme.text, bold: true })}
${entries.map((entry, index) => legendRow(entry, edge + row * (index + 1), text))}
${charts}
</svg>
`);
}

function heading(runs: readonly Curves[]): string {
  const [run, ...others] = runs;
  return run && others.length === 0 ? `${run.name} (${run.model})` : `${runs.length} runs`;
}

function legend(runs: readonly Curves[]): LegendEntry[] {
  if (runs.length === 1) {
    return [
      { label: 'Training', colour: seriesColour(theme, 0) },
      { label: 'Validation', colour: seriesColour(theme, 1) },
    ];
  }
  const colours = runs.map(({ name, model }, index) => ({
    label: `${name} (${model})`,
    colour: seriesColour(theme, index),
  }));
  return [
    ...colours,
    { label: 'Training', colour: theme.muted, dashed: true },
    { label: 'Validation', colour: theme.muted },
  ];
}

function legendRow({ label, colour, dashed }: LegendEntry, y: number, text: TextPainter): Markup {
  const dash = dashed ? markup` stroke-dasharray="5 4"` : '';
  return markup`<path d="M${edge + 6} ${y + 12}h26" stroke="${colour}" stroke-width="2.5" fill="none"${dash}/>${text(
    shortened(label),
    { x: edge + 40, y: y + 16, size: 12, colour: theme.text },
  )}`;
}

function shortened(text: string): string {
  return text.length > longestLabel ? `${text.slice(0, longestLabel - 1)}…` : text;
}
