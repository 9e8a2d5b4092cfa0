import type { Report } from '../../report.js';
import { type Markup, markup } from '../markup.js';

/** Which classes are taken for each other most often. */
export function pairsSection({ confusedPairs }: Report): Markup {
  if (confusedPairs.length === 0) return markup`<p>No picture was mistaken.</p>`;
  return markup`<p class="muted">Pictures of A that were taken for B, and the other way round.</p>
<div class="scroll"><table>
<thead><tr><th class="name plain">A</th><th class="plain left">B</th><th class="plain">A as B</th><th class="plain">B as A</th><th class="plain">Sum</th></tr></thead>
<tbody>
${confusedPairs.map(
  ({ a, b, aAsB, bAsA }) =>
    markup`<tr><td class="name">${a}</td><td class="name">${b}</td><td>${aAsB}</td><td>${bAsA}</td><td>${aAsB + bAsA}</td></tr>\n`,
)}</tbody>
</table></div>`;
}
