import { formatDuration } from '../../duration.js';
import type { Accuracy, Report } from '../../report.js';
import { type Markup, markup } from '../markup.js';

/** The figures that are looked at first. */
export function figuresSection(report: Report): Markup {
  const { top1, top5, loss, macro, calibration, images, rejected, predictionTime } = report;
  const { seconds, picturesPerSecond, millisecondsPerPicture } = predictionTime;
  const left =
    rejected.length > 0 ? `${rejected.length} could not be used` : `${report.classes.length} classes`;
  return markup`<dl class="tiles">
${tile('Top-1 accuracy', `${top1.percent.toFixed(2)} %`, interval(top1))}
${tile('Top-5 accuracy', `${top5.percent.toFixed(2)} %`, interval(top5))}
${tile('Loss', loss.toFixed(4), 'mean cross-entropy')}
${tile('Macro F1', macro.f1.toFixed(3), `precision ${macro.precision.toFixed(3)}, recall ${macro.recall.toFixed(3)}`)}
${tile('Calibration error', `${(100 * calibration.ece).toFixed(2)} %`, `ECE, ${calibration.bins.length} bins`)}
${tile('Pictures', images.toLocaleString('en'), left)}
${tile('Prediction Time', formatDuration(seconds), `${Math.round(picturesPerSecond)} pictures/s, ${millisecondsPerPicture.toFixed(2)} ms each`)}
</dl>`;
}

function tile(name: string, value: string, note: string): Markup {
  return markup`<div><dt>${name}</dt><dd>${value}<small>${note}</small></dd></div>`;
}

function interval({ low, high }: Accuracy): string {
  return `95 %: ${low.toFixed(2)} to ${high.toFixed(2)} %`;
}
