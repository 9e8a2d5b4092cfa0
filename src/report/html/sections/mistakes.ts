import { raw } from 'hono/html';
import type { Mistake } from '../../report.js';
import { type Markup, markup } from '../markup.js';
import type { SectionInput } from '../section-input.js';

/** The pictures whose true class seemed the least likely. */
export function mistakesSection({ report, pictures }: SectionInput): Markup {
  const { worstMistakes } = report;
  if (worstMistakes.length === 0) return markup`<p>No picture was mistaken.</p>`;
  return markup`<p class="muted">The ${worstMistakes.length} wrong predictions with the largest loss: what the picture is labelled as, and what it was taken for, each with its probability.</p>
<div class="mistakes">${worstMistakes.map((mistake) => figure(mistake, pictures.get(mistake.file)))}</div>`;
}

function figure(mistake: Mistake, jpeg: Uint8Array | undefined): Markup {
  const { file, actual, predicted, probability, predictedProbability } = mistake;
  const picture = jpeg
    ? markup`<img src="${raw(`data:image/jpeg;base64,${Buffer.from(jpeg).toString('base64')}`)}" alt="${actual}, taken for ${predicted}" title="${file}">`
    : markup`<span class="gone">${file} cannot be read</span>`;
  return markup`<figure>${picture}<figcaption>
<span class="right">is</span> <b>${actual}</b> ${percent(probability)}<br>
<span class="wrong">taken for</span> <b>${predicted}</b> ${percent(predictedProbability)}</figcaption></figure>`;
}

function percent(share: number): string {
  const value = 100 * share;
  return value > 0 && value < 0.01 ? '<\u00a00.01\u00a0%' : `${value.toFixed(value < 1 ? 2 : 1)}\u00a0%`;
}
