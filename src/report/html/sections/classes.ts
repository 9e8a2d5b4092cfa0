import type { Report } from '../../report.js';
import { type Markup, markup } from '../markup.js';

const columns = ['Precision', 'Recall', 'F1', 'Pictures', 'Predicted'] as const;

/** Each class with its scores, in a table that can be sorted and searched. */
export function classesSection({ classes, macro, weighted }: Report): Markup {
  const sorted = classes.toSorted((a, b) => a.label.localeCompare(b.label, 'en', { numeric: true }));
  return markup`<div class="tools"><input type="search" data-search="scores" placeholder="Find a class" aria-label="Find a class"></div>
<div class="scroll"><table id="scores" data-sortable>
<thead><tr><th class="name" aria-sort="ascending"><button type="button">Class</button></th>${columns.map(
    (name) => markup`<th><button type="button">${name}</button></th>`,
  )}</tr></thead>
<tbody>
${sorted.map(
  ({ label, precision, recall, f1, support, predicted }) =>
    markup`<tr><th class="name" scope="row">${label}</th>${score(precision)}${score(recall)}${score(f1)}${count(support)}${count(predicted)}</tr>\n`,
)}</tbody>
<tfoot>
<tr><th class="name" scope="row">Mean of the classes</th>${score(macro.precision)}${score(macro.recall)}${score(macro.f1)}<td></td><td></td></tr>
<tr><th class="name" scope="row">Mean by pictures</th>${score(weighted.precision)}${score(weighted.recall)}${score(weighted.f1)}<td></td><td></td></tr>
</tfoot>
</table></div>`;
}

function score(value: number | null): Markup {
  return markup`<td data-value="${value ?? ''}">${value === null ? '–' : value.toFixed(3)}</td>`;
}

function count(value: number): Markup {
  return markup`<td data-value="${value}">${value}</td>`;
}
