import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../errors.js';
import { type Job, type JobRequest, planJob } from './job.js';

const plan = (request: Partial<JobRequest>, length = 43, batchSize = 8): Job =>
  planJob(
    { split: 'train', epoch: 0, ...request },
    { id: 3, length, batchSize, firstTicket: 100, firstNumber: 20 },
  );

describe('planJob', () => {
  it('drops an uneven last batch of train, and loads that of val', () => {
    expect(plan({})).toMatchObject({
      batches: 5,
      images: 40,
      shuffle: true,
      firstTicket: 100,
      firstNumber: 20,
    });
    expect(plan({ split: 'val' })).toMatchObject({ batches: 6, images: 43, shuffle: false });
    expect(plan({ dropLast: false, shuffle: false })).toMatchObject({
      batches: 6,
      images: 43,
      shuffle: false,
    });
    expect(plan({ split: 'val', dropLast: true })).toMatchObject({ batches: 5, images: 40 });
  });

  it('is nothing when the epoch is at its end already', () => {
    expect(plan({ firstBatch: 5 })).toMatchObject({ batches: 0, images: 0 });
    expect(plan({ firstBatch: 6, dropLast: false })).toMatchObject({ batches: 0, images: 0 });
    expect(() => plan({ firstBatch: 6 })).toThrow(RangeError);
    expect(() => plan({ firstBatch: -1 })).toThrow(RangeError);
    expect(() => plan({ batches: -1 })).toThrow(RangeError);
  });

  it('divides an epoch into parts that make up the whole', () => {
    const sizes = fc.record({
      length: fc.integer({ min: 1, max: 300 }),
      batchSize: fc.integer({ min: 1, max: 40 }),
      cut: fc.nat(300),
    });
    fc.assert(
      fc.property(sizes, fc.boolean(), ({ length, batchSize, cut }, dropLast) => {
        fc.pre(!dropLast || length >= batchSize);
        const whole = plan({ dropLast }, length, batchSize);
        const firstBatch = Math.min(cut, whole.batches);
        const head = plan({ dropLast, batches: firstBatch }, length, batchSize);
        const tail = plan({ dropLast, firstBatch }, length, batchSize);
        expect(head.batches + tail.batches).toBe(whole.batches);
        expect(head.images + tail.images).toBe(whole.images);
        expect(whole.images).toBe(dropLast ? length - (length % batchSize) : length);
      }),
    );
  });

  it('refuses a split without one full batch, and an empty one', () => {
    expect(() => plan({}, 7)).toThrow(UserError);
    expect(() => plan({}, 7)).toThrow(/train has 7 pictures.*batch of 8/);
    expect(plan({ dropLast: false }, 7)).toMatchObject({ batches: 1, images: 7 });
    expect(() => plan({ split: 'val' }, 0)).toThrow(UserError);
  });
});
