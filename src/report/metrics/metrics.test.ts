import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PicturePrediction } from '../../train/predictions.js';
import { Calibration } from './calibration.js';
import { classScores } from './class-scores.js';
import { clusterOrder } from './cluster-order.js';
import { confusedPairs } from './confused-pairs.js';
import { ConfusionMatrix } from './confusion-matrix.js';
import { meanScores } from './mean-scores.js';
import { wilsonInterval } from './wilson.js';
import { WorstMistakes } from './worst-mistakes.js';

type Column = Array<number | null>;

interface Golden {
  actual: number[];
  predicted: number[];
  confidence: number[];
  confusion: number[][];
  scores: {
    classes: Record<'precision' | 'recall' | 'f1' | 'support', Column>;
    macro: Record<string, number>;
    weighted: Record<string, number>;
  };
  calibration: { counts: number[]; accuracies: number[]; confidences: number[]; ece: number; mce: number };
  wilson: Array<{ successes: number; total: number; low: number; high: number }>;
}

const golden: Golden = JSON.parse(
  readFileSync(new URL('../../../test/golden/report-metrics.json', import.meta.url), 'utf8'),
);

const near = (value: number | null): unknown => (value === null ? null : expect.closeTo(value, 12));

/** A matrix of rows of counts. */
function matrixOf(rows: number[][]): ConfusionMatrix {
  const matrix = new ConfusionMatrix(rows.length);
  rows.forEach((row, actual) => {
    row.forEach((count, predicted) => void matrix.add(actual, predicted, count));
  });
  return matrix;
}

describe('against scikit-learn and scipy', () => {
  const matrix = new ConfusionMatrix(golden.confusion.length);
  const calibration = new Calibration();
  golden.actual.forEach((actual, at) => {
    const predicted = golden.predicted[at] as number;
    matrix.add(actual, predicted);
    calibration.add(golden.confidence[at] as number, actual === predicted);
  });

  it('counts the confusions', () => {
    const rows = golden.confusion.map((row, actual) =>
      row.map((_, predicted) => matrix.get(actual, predicted)),
    );
    expect(rows).toEqual(golden.confusion);
    expect([...matrix.cells()].reduce((sum, { count }) => sum + count, 0)).toBe(golden.actual.length);
  });

  it('scores each class, also one without pictures and one never predicted', () => {
    const scores = classScores(matrix);
    const { precision, recall, f1, support } = golden.scores.classes;
    expect(scores.map((score) => score.precision)).toEqual(precision.map(near));
    expect(scores.map((score) => score.recall)).toEqual(recall.map(near));
    expect(scores.map((score) => score.f1)).toEqual(f1.map(near));
    expect(scores.map((score) => score.support)).toEqual(support);
    expect([scores[6]?.recall, scores[7]?.precision, scores[8]?.f1]).toEqual([null, null, null]);
  });

  it('averages them', () => {
    const { macro, weighted } = meanScores(classScores(matrix));
    for (const key of ['precision', 'recall', 'f1'] as const) {
      expect(macro[key]).toEqual(near(golden.scores.macro[key] ?? null));
      expect(weighted[key]).toEqual(near(golden.scores.weighted[key] ?? null));
    }
  });

  it('measures the calibration, with confidences on the edges of bins', () => {
    const { counts, accuracies, confidences, ece, mce } = golden.calibration;
    const result = calibration.result();
    const filled = result.bins.filter(({ count }) => count > 0);
    expect(result.bins.map(({ count }) => count)).toEqual(counts);
    expect(filled.map(({ accuracy }) => accuracy)).toEqual(accuracies.map(near));
    expect(filled.map(({ confidence }) => confidence)).toEqual(confidences.map(near));
    expect([result.ece, result.mce]).toEqual([near(ece), near(mce)]);
    expect(result.bins[0]).toMatchObject({ count: 0, accuracy: null, confidence: null });
  });

  it.each(golden.wilson)('bounds $successes of $total', ({ successes, total, low, high }) => {
    expect(wilsonInterval(successes, total)).toEqual({ low: near(low), high: near(high) });
  });
});

it('of nothing there is nothing to say', () => {
  const empty = new ConfusionMatrix(2);
  expect(wilsonInterval(0, 0)).toBeNull();
  expect(meanScores(classScores(empty)).macro).toEqual({ precision: 0, recall: 0, f1: 0 });
  expect(new Calibration(2).result()).toMatchObject({ ece: 0, mce: 0, confidence: 0 });
  expect(confusedPairs(empty, 5)).toEqual([]);
  expect(() => empty.add(0, 2)).toThrow(RangeError);
  expect(() => empty.get(-1, 0)).toThrow(RangeError);
});

describe('confusedPairs', () => {
  it('adds up both directions, names the heavier first, and each pair once', () => {
    const matrix = matrixOf([
      [9, 2, 0, 1],
      [5, 9, 3, 0],
      [0, 3, 9, 0],
      [1, 4, 0, 9],
    ]);
    expect(confusedPairs(matrix, 10)).toEqual([
      { a: 1, b: 0, aAsB: 5, bAsA: 2 },
      { a: 1, b: 2, aAsB: 3, bAsA: 3 },
      { a: 3, b: 1, aAsB: 4, bAsA: 0 },
      { a: 0, b: 3, aAsB: 1, bAsA: 1 },
    ]);
    expect(confusedPairs(matrix, 2)).toHaveLength(2);
  });
});

describe('clusterOrder', () => {
  const square = fc
    .integer({ min: 1, max: 14 })
    .chain((n) =>
      fc.array(fc.array(fc.nat(9), { minLength: n, maxLength: n }), { minLength: n, maxLength: n }),
    );

  it('holds each class once', () => {
    fc.assert(
      fc.property(square, (rows) => {
        const order = clusterOrder(matrixOf(rows));
        expect(order.toSorted((a, b) => a - b)).toEqual(rows.map((_, id) => id));
      }),
    );
  });

  it('brings groups together that are confused within, wherever their ids are', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 24 }), (groups) => {
        const rows = groups.map((group, id) =>
          groups.map((other, to) => (id === to ? 50 : group === other ? 5 : 0)),
        );
        const found = clusterOrder(matrixOf(rows)).map((id) => groups[id]);
        const changes = found.filter((group, at) => at > 0 && group !== found[at - 1]).length;
        expect(changes).toBe(new Set(groups).size - 1);
      }),
    );
  });

  it('turns a group so that the ends that are alike meet', () => {
    const rows = Array.from({ length: 4 }, (_, id) =>
      Array.from({ length: 4 }, (_, to) => (id === to ? 90 : 0)),
    );
    const confuse = (a: number, b: number, count: number): void => {
      (rows[a] as number[])[b] = count;
      (rows[b] as number[])[a] = count;
    };
    confuse(0, 2, 30);
    confuse(1, 3, 30);
    confuse(0, 3, 8);
    expect([
      [2, 0, 3, 1],
      [1, 3, 0, 2],
    ]).toContainEqual(clusterOrder(matrixOf(rows)));
  });
});

describe('WorstMistakes', () => {
  const picture = (loss: number, predicted: number): PicturePrediction => {
    const top = [{ id: predicted, probability: 0.9 }];
    return { file: `${loss}.jpg`, label: 0, top, probability: Math.exp(-loss), loss };
  };

  it('keeps the mistakes with the largest losses, the largest first', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(1000), fc.nat(1))),
        fc.integer({ min: 1, max: 6 }),
        (list, limit) => {
          const worst = new WorstMistakes(limit);
          for (const [loss, predicted] of list) worst.add(picture(loss, predicted));
          const losses = list.flatMap(([loss, predicted]) => (predicted === 0 ? [] : [loss]));
          expect(worst.list().map(({ loss }) => loss)).toEqual(losses.sort((a, b) => b - a).slice(0, limit));
        },
      ),
    );
  });
});
