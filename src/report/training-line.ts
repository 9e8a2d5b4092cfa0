import { formatDuration } from './duration.js';
import { bar } from './progress-line.js';

/** What the line of an epoch says; null is shown as a dash, undefined is left out. */
export interface EpochFigures {
  /** From 1. */
  readonly epoch: number;
  readonly loss: number | null;
  /** Percent. */
  readonly valAccuracy?: number | null;
  /** Percent. */
  readonly trainAccuracy: number | null;
  /** Before clipping. */
  readonly gradientNorm?: number | null | undefined;
  readonly learningRate: number;
  /** Share of the time, 0 to 1, in which the engine waited for pictures; named where it is much. */
  readonly waited?: number | undefined;
}

/** From here on a share of waiting is worth a word. */
const muchWaiting = 0.02;

/** `epoch=1, loss=5.3018, val acc=7.547, train acc=5.333, lr=0.01`. */
export function epochText(figures: EpochFigures): string {
  const { epoch, loss, valAccuracy, trainAccuracy, gradientNorm, learningRate, waited = 0 } = figures;
  return [
    `epoch=${epoch}`,
    `loss=${rounded(loss, 4)}`,
    ...(valAccuracy === undefined ? [] : [`val acc=${rounded(valAccuracy, 3)}`]),
    `train acc=${rounded(trainAccuracy, 3)}`,
    ...(gradientNorm === undefined ? [] : [`gradient norm=${rounded(gradientNorm, 3)}`]),
    `lr=${rateText(learningRate)}`,
    ...(waited > muchWaiting ? [`waited for pictures ${(100 * waited).toFixed(0)} %`] : []),
  ].join(', ');
}

/** A learning rate with four digits at most. */
export function rateText(rate: number): string {
  return String(Number(rate.toPrecision(4)));
}

/** How far an epoch is, and how fast. */
export interface Pace {
  readonly done: number;
  readonly total: number;
  readonly unit: string;
  /** Since the start of these. */
  readonly seconds: number;
  /** Of `done`, those that took `seconds`; all of them by default. */
  readonly timed?: number;
}

/** `100%|██████████| 191/191 [0:53<0:00, 3.58 batches/s, TEXT]`. */
export function paceText({ done, total, unit, seconds, timed = done }: Pace, text: string): string {
  const rate = seconds > 0 ? timed / seconds : 0;
  const left = rate > 0 ? formatDuration((total - done) / rate) : '–';
  const percent = String(total > 0 ? Math.floor((100 * done) / total) : 100).padStart(3);
  const speed = rate > 0 ? `${rate.toPrecision(3)} ${unit}/s` : `– ${unit}/s`;
  return `${percent}%|${bar(done, total, 10)}| ${done}/${total} [${formatDuration(seconds)}<${left}, ${speed}, ${text}]`;
}

function rounded(value: number | null, digits: number): string {
  return value === null || !Number.isFinite(value) ? '–' : String(Number(value.toFixed(digits)));
}
