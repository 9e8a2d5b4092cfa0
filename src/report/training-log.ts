import type { TrainEvent } from '../train/events.js';
import { epochText } from './training-line.js';

/** What output.log says of an event; undefined where it says nothing. */
export function logLine(event: TrainEvent): string | undefined {
  switch (event.kind) {
    case 'start': {
      const { model, classes, pictures, crop, batchSize, epochs, resumed } = event;
      const what = `${model}, ${classes} classes, ${pictures.train} + ${pictures.val} pictures, crop ${crop}, batch ${batchSize}, ${epochs} epochs`;
      return resumed
        ? `resume from ${resumed.path} (epoch ${resumed.epoch}, step ${resumed.step}): ${what}`
        : `start: ${what}`;
    }
    case 'epoch':
      return `${epochText(event)} (${event.seconds.toFixed(1)} s)`;
    case 'checkpoint':
      return `saved ${event.path}${event.best ? ' (the best so far)' : ''}`;
    case 'learningRate':
      return `learning rate ${event.from} -> ${event.to}`;
    case 'rejected':
      return `rejected ${event.file}: ${event.reason}`;
    case 'warning':
      return `warning: ${event.message}`;
    case 'message':
      return event.text;
    default:
      return undefined;
  }
}
