import { scaleLinear } from 'd3-scale';
import { type Markup, markup } from '../html/markup.js';
import type { CalibrationBin, CalibrationResult } from '../metrics/calibration.js';
import { paintText } from './text-painter.js';
import type { ChartTheme } from './theme.js';

const width = 420;
const frame = { left: 62, right: 400, top: 12, bottom: 320 };
const histogram = { top: 384, bottom: 444 };
const height = 490;
const tickSize = 12;

/** Accuracy over confidence, with the line on which they agree, and below how many predictions each bar stands for. */
export function reliabilityChart({ bins, ece }: CalibrationResult, theme: ChartTheme): Markup {
  const sx = scaleLinear([0, 1], [frame.left, frame.right]);
  const sy = scaleLinear([0, 1], [frame.bottom, frame.top]);
  const most = Math.max(1, ...bins.map(({ count }) => count));
  const sn = scaleLinear([0, most], [histogram.bottom, histogram.top]);
  const ticks = sx.ticks(5);
  const label = { size: tickSize, colour: theme.muted } as const;
  const middle = (frame.left + frame.right) / 2;
  const percent = (value: number): string => `${Math.round(100 * value)} %`;
  return markup`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Reliability plot; expected calibration error ${(100 * ece).toFixed(2)} %">
${ticks.map(
  (tick) => markup`<path d="M${frame.left} ${sy(tick)}H${frame.right}" stroke="${theme.grid}" fill="none"/>
${paintText(percent(tick), { ...label, x: frame.left - 7, y: sy(tick) + 4, anchor: 'end' })}
${paintText(percent(tick), { ...label, x: sx(tick), y: frame.bottom + 18, anchor: 'middle' })}
${paintText(percent(tick), { ...label, x: sx(tick), y: histogram.bottom + 18, anchor: 'middle' })}`,
)}
${bins.map((bin) => bar(bin, { sx, sy, sn, theme }))}
<path d="M${frame.left} ${frame.bottom}L${frame.right} ${frame.top}" stroke="${theme.text}" stroke-dasharray="4 4" fill="none"/>
<path d="M${frame.left} ${histogram.bottom}H${frame.right}" stroke="${theme.grid}" fill="none"/>
${paintText(most.toLocaleString('en'), { ...label, x: frame.left - 7, y: histogram.top + 8, anchor: 'end' })}
${paintText('0', { ...label, x: frame.left - 7, y: histogram.bottom + 4, anchor: 'end' })}
${paintText('Confidence of the prediction', { ...label, x: middle, y: frame.bottom + 36, anchor: 'middle' })}
${paintText('Right predictions', { ...label, x: 12, y: (frame.top + frame.bottom) / 2, anchor: 'middle', upwards: true })}
${paintText('Pictures', { ...label, x: 12, y: (histogram.top + histogram.bottom) / 2, anchor: 'middle', upwards: true })}
${paintText('Confidence of the prediction', { ...label, x: middle, y: histogram.bottom + 36, anchor: 'middle' })}
</svg>`;
}

type Scale = (value: number) => number;

function bar(
  bin: CalibrationBin,
  { sx, sy, sn, theme }: { sx: Scale; sy: Scale; sn: Scale; theme: ChartTheme },
): Markup | '' {
  const { from, to, count, accuracy, confidence } = bin;
  if (accuracy === null || confidence === null) return '';
  const [left, right] = [round(sx(from) + 1), round(sx(to) - 1)];
  const rect = (top: number, bottom: number, colour: string): Markup =>
    markup`<path d="M${left} ${round(bottom)}V${round(top)}H${right}V${round(bottom)}Z" fill="${colour}"/>`;
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
  const said = `${count} pictures with a confidence of ${percent(from)} to ${percent(to)}: ${percent(accuracy)} right, mean confidence ${percent(confidence)}`;
  return markup`<g><title>${said}</title>${rect(sy(accuracy), frame.bottom, theme.series[0] ?? theme.text)}
<path d="M${left} ${round(sy(confidence))}H${right}" stroke="${theme.series[1] ?? theme.text}" stroke-width="2.5"/>
${rect(sn(count), histogram.bottom, theme.muted)}</g>`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
