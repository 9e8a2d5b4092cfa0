import type { TrainEvent } from '../train/events.js';
import { computingText } from './computing-text.js';
import type { LogLevel } from './log-settings.js';
import { epochText, rateText } from './training-line.js';

/** A line of a log before it has a form. */
export interface LogRecord {
  readonly level: Exclude<LogLevel, 'silent'>;
  /** What happened, for programs. */
  readonly event: string;
  /** The same for people. */
  readonly text: string;
  /** What a program wants to know of it. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** What a log says of an event; undefined where it says nothing. */
export function logRecord(event: TrainEvent): LogRecord | undefined {
  const { kind, ...fields } = event;
  switch (event.kind) {
    case 'start':
      return { level: 'info', event: event.resumed ? 'resume' : kind, text: startText(event), fields };
    case 'epoch':
      return { level: 'info', event: kind, text: epochLine(event), fields };
    case 'checkpoint':
      return { level: 'info', event: 'saved', text: savedText(event), fields };
    case 'learningRate':
      return { level: 'info', event: kind, text: learningRateText(event), fields };
    case 'skipped':
      return { level: 'info', event: kind, text: skippedText(event), fields };
    case 'rejected':
      return { level: 'warn', event: kind, text: `rejected ${event.file}: ${event.reason}`, fields };
    case 'warning':
      return { level: 'warn', event: kind, text: `warning: ${event.message}` };
    case 'message':
      return { level: 'info', event: kind, text: event.text };
    default:
      return undefined;
  }
}

type Event<Kind extends TrainEvent['kind']> = Extract<TrainEvent, { kind: Kind }>;

function startText(event: Event<'start'>): string {
  const { model, classes, pictures, crop, batchSize, epochs, run, resumed, computing } = event;
  const what = `${model}, ${classes} classes, ${pictures.train} + ${pictures.val} pictures, crop ${crop}, batch ${batchSize}, ${epochs} epochs, ${computingText(computing)}, in ${run}`;
  return resumed
    ? `resume from ${resumed.path} (epoch ${resumed.epoch}, step ${resumed.step}): ${what}`
    : `start: ${what}`;
}

function epochLine(event: Event<'epoch'>): string {
  const { seconds, waited, ...figures } = event;
  const share = waited === undefined ? '' : `, ${(100 * waited).toFixed(1)} % of it waiting for pictures`;
  return `${epochText(figures)} (${seconds.toFixed(1)} s${share})`;
}

/** `saved runs/birds/checkpoints/epoch-0003.safetensors (the best so far)`. */
export function savedText({ path, best }: Event<'checkpoint'>): string {
  return `saved ${path}${best ? ' (the best so far)' : ''}`;
}

/** `skipped 2 steps (9 in all) whose gradient was infinite: loss scale 16384`. */
function skippedText({ steps, total, scale }: Event<'skipped'>): string {
  return `skipped ${steps} ${steps === 1 ? 'step' : 'steps'} (${total} in all) whose gradient was infinite: loss scale ${scale}`;
}

/** `learning rate 0.05 -> 0.04668`. */
export function learningRateText({ from, to }: Event<'learningRate'>): string {
  return `learning rate ${rateText(from)} -> ${rateText(to)}`;
}
