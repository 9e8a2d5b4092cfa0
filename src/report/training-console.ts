import type { TrainListener } from '../train/events.js';
import { lineFormat } from './log-format.js';
import { logRecord } from './log-record.js';
import type { LogSettings } from './log-settings.js';
import type { ProgressLine } from './progress-line.js';
import { trainingPainter } from './training-painter.js';

/** Shows a training on stderr. */
export interface TrainingConsole {
  readonly listen: TrainListener;
  /** Prints a line that is no event. */
  say(text: string): void;
}

/**
 * On a terminal a progress line; else the lines of the log, one an epoch among them, in the same form.
 */
export function trainingConsole(line: ProgressLine, log: LogSettings = {}): TrainingConsole {
  if (line.live) {
    return { listen: trainingPainter(line, log.level), say: (text) => line.print(text) };
  }
  const format = lineFormat(log);
  const print = (record: Parameters<typeof format>[0] | undefined): void => {
    const text = record && format(record);
    if (text !== undefined) line.print(text.trimEnd());
  };
  return {
    listen: (event) => print(logRecord(event)),
    say: (text) => print({ level: 'info', event: 'message', text }),
  };
}
