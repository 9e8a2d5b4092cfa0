import { raw } from 'hono/html';
import type { Report } from '../../report.js';
import { type Markup, markup } from '../markup.js';

/** The matrix; it is drawn in the reader's browser from the data that stands beside it. */
export function confusionSection({ classes, confusion, clusterOrder }: Report): Markup {
  const data = { labels: classes.map(({ label }) => label), cells: confusion, clusterOrder };
  return markup`<p class="muted">A row is what pictures show, a column what they were taken for.
<span class="swatch right"></span>recognised, <span class="swatch wrong"></span>mistaken: the stronger, the larger the share of the row.</p>
<div class="tools">
<label>Order <select id="matrix-order"><option value="likeness">confused classes together</option><option value="label">by label</option></select></label>
<span><button type="button" data-zoom="+" aria-label="Zoom in">+</button> <button type="button" data-zoom="-" aria-label="Zoom out">−</button> <button type="button" data-zoom="0">Whole</button></span>
</div>
<p class="said" id="matrix-said" aria-live="polite"></p>
<div class="matrix"><canvas id="matrix" tabindex="0" role="img" aria-label="Confusion matrix of ${classes.length} classes. Plus and minus zoom, arrow keys move." aria-describedby="matrix-said"></canvas></div>
<details><summary class="muted">How to move in it</summary><p class="muted">Double-click, the buttons, + and − zoom, and the wheel once you have clicked into it; drag or the arrow keys move, 0 shows the whole. On a touch screen: tap, pinch, drag.</p></details>
<noscript><p>The matrix is drawn by a script in this file, which your browser does not run. report.json holds its numbers.</p></noscript>
<script type="application/json" id="matrix-data">${raw(scriptJson(data))}</script>`;
}

/** JSON that cannot end the element that it stands in. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}
