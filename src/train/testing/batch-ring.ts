import { BatchWriter } from '../../data/loader/batch-writer.js';
import { type BatchRing, createRing } from '../../data/loader/ring.js';

/**
 * A ring that holds these batches, as a loader leaves it. Each class has its own brightness.
 * @param options.size height and width of the pictures
 */
export function ringOf(
  batches: ReadonlyArray<readonly number[]>,
  { capacity, size }: { capacity: number; size: number },
): BatchRing {
  const ring = createRing({ slots: batches.length + 1, capacity, height: size, width: size });
  const writer = new BatchWriter(ring);
  batches.forEach((labels, batch) => {
    labels.forEach((label, position) => {
      const at = writer.imageOffset(position);
      const floats = writer.images(batch);
      for (let index = 0; index < 3 * size * size; index++) {
        floats[at + index] = label + 0.3 * Math.sin(index * (position + 1) * (batch + 1));
      }
      const last = batch === batches.length - 1;
      writer.finish(batch, position, label, { job: 0, index: batch, count: labels.length, last });
    });
  });
  return ring;
}
