import { paintText } from '../../charts/text-painter.js';
import { pageTheme } from '../../charts/theme.js';
import { panels } from '../../plot/curves.js';
import { curvesChart } from '../../plot/curves-charts.js';
import type { Report } from '../../report.js';
import { type Markup, markup } from '../markup.js';

const size = { width: 400, height: 300 };

/** The curves of the training up to the checkpoint. */
export function trainingSection({ history, model }: Report): Markup {
  if (history.length === 0)
    return markup`<p class="muted">The checkpoint is from within the first epoch.</p>`;
  const runs = [{ name: model, model, history }];
  return markup`<ul class="key"><li><i class="one"></i>Training</li><li><i class="two"></i>Validation</li></ul>
<div class="charts">
${panels.map(
  (
    panel,
  ) => markup`<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${panel.title} by epoch">
${curvesChart({ runs, panel, theme: pageTheme, text: paintText, x: 0, y: 0, ...size })}
</svg>`,
)}
</div>`;
}
