import { reliabilityChart } from '../../charts/reliability-chart.js';
import { pageTheme } from '../../charts/theme.js';
import type { Report } from '../../report.js';
import { type Markup, markup } from '../markup.js';

/** Whether the network is right as often as it says. */
export function calibrationSection({ calibration, top1 }: Report): Markup {
  const { ece, mce, confidence } = calibration;
  const gap = 100 * confidence - top1.percent;
  const verdict =
    Math.abs(gap) < 1
      ? 'about as sure as it is right'
      : gap > 0
        ? 'surer than it is right'
        : 'less sure than it is right';
  return markup`<p>Mean confidence ${(100 * confidence).toFixed(1)} %, accuracy ${top1.percent.toFixed(1)} %: the network is ${verdict}.
Expected calibration error ${(100 * ece).toFixed(2)} %, largest in a bar ${(100 * mce).toFixed(2)} %.</p>
<ul class="key"><li><i class="one"></i>right predictions</li><li><i class="two"></i>mean confidence</li><li><i class="dash"></i>perfect calibration</li></ul>
<div class="narrow">${reliabilityChart(calibration, pageTheme)}</div>`;
}
