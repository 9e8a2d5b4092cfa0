import { raw } from 'hono/html';
import { inlineScript } from './inline-script.js';
import { type Markup, markup } from './markup.js';
import type { SectionInput } from './section-input.js';
import { calibrationSection } from './sections/calibration.js';
import { classesSection } from './sections/classes.js';
import { confusionSection } from './sections/confusion.js';
import { figuresSection } from './sections/figures.js';
import { mistakesSection } from './sections/mistakes.js';
import { pairsSection } from './sections/pairs.js';
import { trainingSection } from './sections/training.js';
import { style } from './style.js';

const sections: ReadonlyArray<{ id: string; title: string; content: (input: SectionInput) => Markup }> = [
  { id: 'training', title: 'Training', content: ({ report }) => trainingSection(report) },
  { id: 'confusion', title: 'Confusion matrix', content: ({ report }) => confusionSection(report) },
  { id: 'pairs', title: 'Most confused pairs', content: ({ report }) => pairsSection(report) },
  { id: 'mistakes', title: 'Worst mistakes', content: mistakesSection },
  { id: 'classes', title: 'Classes', content: ({ report }) => classesSection(report) },
  { id: 'calibration', title: 'Calibration', content: ({ report }) => calibrationSection(report) },
];

const scriptNames = ['sort-table', 'confusion-view', 'matrix-gestures'] as const;

/** The report as one HTML file that loads nothing; names from outside are escaped. */
export async function reportPage(input: SectionInput): Promise<string> {
  const { report } = input;
  const scripts = await Promise.all(scriptNames.map(inlineScript));
  const hashes = scripts.map(({ hash }) => `'${hash}'`).join(' ');
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src ${hashes}; base-uri 'none'; form-action 'none'`;
  const title = `${report.model}: test report`;
  const page = await markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${raw(style)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p class="about muted">${report.checkpoint}, after ${report.epoch} ${report.epoch === 1 ? 'epoch' : 'epochs'}, on the validation pictures of ${report.data}</p>
<section aria-label="Key figures">${figuresSection(report)}</section>
<nav aria-label="Sections">${sections.map(({ id, title: name }) => markup`<a href="#${id}">${name}</a>`)}</nav>
${sections.map(
  ({ id, title: name, content }) => markup`<section id="${id}">
<h2>${name}</h2>
${content(input)}
</section>`,
)}
<footer>Made by resnode ${report.resnode}, ${report.created.replace('T', ' ').slice(0, 16)} UTC</footer>
</main>
${scripts.map(({ text }) => markup`<script type="module">${raw(text)}</script>\n`)}</body>
</html>
`;
  return String(page);
}
