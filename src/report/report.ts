import type { CheckpointInfo } from '../train/checkpoint.js';
import type { EvaluateResult } from '../train/evaluation.js';
import type { PicturePrediction } from '../train/predictions.js';
import { resnodeVersion } from '../version.js';
import { Calibration, type CalibrationResult } from './metrics/calibration.js';
import { type ClassScore, classScores } from './metrics/class-scores.js';
import { clusterOrder } from './metrics/cluster-order.js';
import { confusedPairs } from './metrics/confused-pairs.js';
import { ConfusionMatrix } from './metrics/confusion-matrix.js';
import { type MeanScore, meanScores } from './metrics/mean-scores.js';
import { wilsonInterval } from './metrics/wilson.js';
import { WorstMistakes } from './metrics/worst-mistakes.js';

/** A share of the pictures, in percent, and where it lies with 95 % confidence (Wilson). */
export interface Accuracy {
  readonly correct: number;
  readonly percent: number;
  readonly low: number;
  readonly high: number;
}

/** A picture that was taken for something else; probabilities are 0 to 1. */
export interface Mistake {
  /** Path below the dataset's folder. */
  readonly file: string;
  readonly actual: string;
  readonly predicted: string;
  /** Of the true class. */
  readonly probability: number;
  readonly predictedProbability: number;
}

/** What report.json holds. */
export interface Report {
  readonly version: 1;
  /** When it was made, as ISO 8601. */
  readonly created: string;
  readonly resnode: string;
  readonly model: string;
  readonly checkpoint: string;
  /** Epochs that the network was trained. */
  readonly epoch: number;
  readonly data: string;
  readonly images: number;
  /** Mean cross-entropy. */
  readonly loss: number;
  readonly top1: Accuracy;
  readonly top5: Accuracy;
  readonly macro: MeanScore;
  readonly weighted: MeanScore;
  /** By class id. */
  readonly classes: ReadonlyArray<ClassScore & { readonly label: string }>;
  /** `[actual, predicted, count]` in class ids, those that are not 0. */
  readonly confusion: ReadonlyArray<readonly [number, number, number]>;
  /** Class ids with those that are confused side by side. */
  readonly clusterOrder: readonly number[];
  readonly confusedPairs: ReadonlyArray<{
    readonly a: string;
    readonly b: string;
    readonly aAsB: number;
    readonly bAsA: number;
  }>;
  readonly worstMistakes: readonly Mistake[];
  readonly calibration: CalibrationResult;
  readonly predictionTime: {
    readonly seconds: number;
    readonly picturesPerSecond: number;
    readonly millisecondsPerPicture: number;
  };
  readonly rejected: EvaluateResult['rejected'];
  readonly history: CheckpointInfo['history'];
}

const limits = { pairs: 25, mistakes: 25 };

/** Collects predictions into a report; memory does not grow with their number. */
export class ReportBuilder {
  readonly #info: CheckpointInfo;
  readonly #matrix: ConfusionMatrix;
  readonly #calibration = new Calibration();
  readonly #worst = new WorstMistakes(limits.mistakes);
  #top5 = 0;

  /** @param info of the checkpoint that predicts */
  constructor(info: CheckpointInfo) {
    this.#info = info;
    this.#matrix = new ConfusionMatrix(info.classes.length);
  }

  /** @param pictures each with its five likeliest classes */
  add(pictures: readonly PicturePrediction[]): void {
    for (const picture of pictures) {
      const { label, top } = picture;
      const [best] = top;
      if (!best) throw new Error('a prediction without classes');
      this.#matrix.add(label, best.id);
      this.#calibration.add(best.probability, best.id === label);
      this.#worst.add(picture);
      if (top.slice(0, 5).some(({ id }) => id === label)) this.#top5++;
    }
  }

  finish(result: EvaluateResult): Report {
    const { images, loss, seconds, model, checkpoint, epoch, data, rejected } = result;
    const matrix = this.#matrix;
    const scores = classScores(matrix);
    const correct = scores.reduce((sum, score) => sum + score.correct, 0);
    const pairs = confusedPairs(matrix, limits.pairs);
    return {
      version: 1,
      created: new Date().toISOString(),
      resnode: resnodeVersion,
      ...{ model, checkpoint, epoch, data, images, loss },
      top1: accuracy(correct, images),
      top5: accuracy(this.#top5, images),
      ...meanScores(scores),
      classes: scores.map((score) => ({ label: this.#label(score.id), ...score })),
      confusion: Array.from(matrix.cells(), (cell) => [cell.actual, cell.predicted, cell.count] as const),
      clusterOrder: clusterOrder(matrix),
      confusedPairs: pairs.map((pair) => ({ ...pair, a: this.#label(pair.a), b: this.#label(pair.b) })),
      worstMistakes: this.#worst.list().map((picture) => this.#mistake(picture)),
      calibration: this.#calibration.result(),
      predictionTime: {
        seconds,
        picturesPerSecond: images / seconds,
        millisecondsPerPicture: (1000 * seconds) / images,
      },
      rejected,
      history: this.#info.history,
    };
  }

  #mistake({ file, label, top, probability }: PicturePrediction): Mistake {
    const [best] = top;
    return {
      file,
      actual: this.#label(label),
      predicted: this.#label(best?.id ?? -1),
      probability,
      predictedProbability: best?.probability ?? 0,
    };
  }

  #label(id: number): string {
    return this.#info.classes[id] ?? String(id);
  }
}

function accuracy(correct: number, images: number): Accuracy {
  const interval = wilsonInterval(correct, images) ?? { low: 0, high: 1 };
  return {
    correct,
    percent: (100 * correct) / images,
    low: 100 * interval.low,
    high: 100 * interval.high,
  };
}
