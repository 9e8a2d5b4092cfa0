import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addBatch, meansOf, noSums, topClasses } from './metrics.js';

const row = fc.array(fc.float({ noNaN: true, min: -50, max: 50 }), { minLength: 6, maxLength: 6 });
const batches = fc.array(fc.tuple(row, fc.integer({ min: -1, max: 5 })), { minLength: 1, maxLength: 12 });

describe('metrics', () => {
  it('ranks as a sort would', () => {
    fc.assert(
      fc.property(batches, (rows) => {
        const logits = Float32Array.from(rows.flatMap(([values]) => values));
        const labels = Int32Array.from(rows.map(([, label]) => label));
        const sums = addBatch(noSums, { logits, labels, classes: 6 });
        const ranks = rows
          .filter(([, label]) => label >= 0)
          .map(([values, label]) => {
            const order = values.map((value, id) => ({ value: Math.fround(value), id }));
            return order.sort((a, b) => b.value - a.value || a.id - b.id).findIndex(({ id }) => id === label);
          });
        expect(sums.images).toBe(ranks.length);
        expect(sums.top1).toBe(ranks.filter((rank) => rank < 1).length);
        expect(sums.top5).toBe(ranks.filter((rank) => rank < 5).length);
      }),
    );
  });

  it('computes the loss in double precision, also of large logits', () => {
    const logits = Float32Array.of(1, 2, 3, 900, 0, -900);
    const { loss } = addBatch(noSums, { logits, labels: Int32Array.of(0, 2), classes: 3 });
    expect(loss).toBeCloseTo(Math.log(Math.exp(1) + Math.exp(2) + Math.exp(3)) - 1 + 1800, 10);
  });

  it('weighs a mean loss by the pictures that counted', () => {
    const batch = { logits: new Float32Array(8), labels: Int32Array.of(0, -1, 1, -1), classes: 2 };
    const sums = addBatch({ images: 2, loss: 1, top1: 1, top5: 2 }, { ...batch, loss: 4 });
    expect(sums).toEqual({ images: 4, loss: 9, top1: 2, top5: 4 });
    expect(meansOf(sums)).toEqual({ loss: 2.25, top1: 50, top5: 100 });
    const none = { logits: new Float32Array(2), labels: Int32Array.of(-1), classes: 2, loss: Number.NaN };
    expect(addBatch(sums, none)).toEqual(sums);
  });

  it('never counts NaN as right', () => {
    const logits = new Float32Array(3).fill(Number.NaN);
    expect(addBatch(noSums, { logits, labels: Int32Array.of(0), classes: 3 })).toMatchObject({
      top1: 0,
      top5: 0,
    });
  });

  it('gives the most likely classes, fewer where there are fewer', () => {
    const top = topClasses(Float32Array.of(0, Math.log(3), Math.log(1)), 5);
    expect(top.map(({ id }) => id)).toEqual([1, 0, 2]);
    expect(top[0]?.probability).toBeCloseTo(0.6, 6);
  });
});
