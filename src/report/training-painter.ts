import type { TrainEvent, TrainListener } from '../train/events.js';
import type { ProgressLine } from './progress-line.js';
import { epochText, paceText } from './training-line.js';

/** Shows a training on one line, and each finished epoch on a line that stays. */
export function trainingPainter(line: ProgressLine): TrainListener {
  return (event) => {
    switch (event.kind) {
      case 'start':
        return startLines(event).forEach((text) => void line.print(text));
      case 'message':
        return line.update(event.text);
      case 'step':
        return line.update(stepText(event));
      case 'epoch':
        return line.print(finishedText(event));
      case 'learningRate':
        return line.print(`learning rate ${event.from} -> ${event.to}`);
      case 'rejected':
        return line.print(`rejected ${event.file}: ${event.reason}`);
      case 'warning':
        return line.print(`warning: ${event.message}`);
      default:
        return undefined;
    }
  };
}

type Event<Kind extends TrainEvent['kind']> = Extract<TrainEvent, { kind: Kind }>;

function startLines({
  model,
  classes,
  pictures,
  crop,
  batchSize,
  epochs,
  run,
  resumed,
}: Event<'start'>): string[] {
  const what = `${model}, ${classes} classes, ${pictures.train} + ${pictures.val} pictures of ${crop} px, batch ${batchSize}, ${epochs} epochs, in ${run}`;
  if (!resumed) return [what];
  const at =
    resumed.step > 0
      ? `epoch ${resumed.epoch + 1}, step ${resumed.step}`
      : `the end of epoch ${resumed.epoch}`;
  return [what, `going on from ${at} (${resumed.path})`];
}

function stepText(event: Event<'step'>): string {
  const { phase, epoch, step, steps, timed, seconds, loss, trainAccuracy, learningRate } = event;
  const text = epochText({ epoch, loss, trainAccuracy, learningRate });
  const pace = { done: step, total: steps, unit: 'batches', seconds, timed };
  return paceText(pace, phase === 'train' ? text : `validating, ${text}`);
}

function finishedText(event: Event<'epoch'>): string {
  const { steps, seconds } = event;
  return paceText({ done: steps, total: steps, unit: 'batches', seconds }, epochText(event));
}
