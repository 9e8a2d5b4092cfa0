import type { TrainEvent, TrainListener } from '../train/events.js';
import { computingText } from './computing-text.js';
import { learningRateText, savedText } from './log-record.js';
import { type LogLevel, logLevels } from './log-settings.js';
import type { ProgressLine } from './progress-line.js';
import { epochText, paceText } from './training-line.js';

/**
 * Shows a training on one line of a terminal, each finished epoch on a line that stays, and what else happens with
 * its time.
 */
export function trainingPainter(line: ProgressLine, level: LogLevel = 'info'): TrainListener {
  const shown = (least: LogLevel): boolean => logLevels.indexOf(least) >= logLevels.indexOf(level);
  const print = (text: string): void => line.print(`${clock()}  ${text}`);
  const paint: TrainListener = (event) => {
    switch (event.kind) {
      case 'start':
        return startLines(event).forEach(print);
      case 'message':
        return line.update(event.text);
      case 'step':
        return line.update(stepText(event));
      case 'epoch':
        return line.print(finishedText(event));
      case 'checkpoint':
        return print(savedText(event));
      case 'learningRate':
        return print(learningRateText(event));
      case 'rejected':
        return print(`rejected ${event.file}: ${event.reason}`);
      case 'warning':
        return print(`warning: ${event.message}`);
      default:
        return undefined;
    }
  };
  return (event) => {
    const grave = event.kind === 'warning' || event.kind === 'rejected';
    if (shown(grave ? 'warn' : 'info')) paint(event);
  };
}

type Event<Kind extends TrainEvent['kind']> = Extract<TrainEvent, { kind: Kind }>;

/** Time of day, `14:03:59`. */
function clock(): string {
  const now = new Date();
  return [now.getHours(), now.getMinutes(), now.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

function startLines({
  model,
  classes,
  pictures,
  crop,
  batchSize,
  epochs,
  run,
  resumed,
  computing,
}: Event<'start'>): string[] {
  const what = `${model}, ${classes} classes, ${pictures.train} + ${pictures.val} pictures of ${crop} px, batch ${batchSize}, ${epochs} epochs, ${computingText(computing)}, in ${run}`;
  if (!resumed) return [what];
  const at =
    resumed.step > 0
      ? `epoch ${resumed.epoch + 1}, step ${resumed.step}`
      : `the end of epoch ${resumed.epoch}`;
  return [what, `going on from ${at} (${resumed.path})`];
}

function stepText(event: Event<'step'>): string {
  const { phase, epoch, step, steps, timed, seconds, loss, trainAccuracy, learningRate, waited } = event;
  const text = epochText({ epoch, loss, trainAccuracy, learningRate, waited });
  const pace = { done: step, total: steps, unit: 'batches', seconds, timed };
  return paceText(pace, phase === 'train' ? text : `validating, ${text}`);
}

function finishedText(event: Event<'epoch'>): string {
  const { steps, seconds } = event;
  return paceText({ done: steps, total: steps, unit: 'batches', seconds }, epochText(event));
}
