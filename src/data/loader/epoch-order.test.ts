import fc from 'fast-check';
import { expect, test } from 'vitest';
import { groupedOrder } from './epoch-order.js';

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });

function startsOf(shardSizes: readonly number[]): Int32Array {
  const starts = [0];
  for (const size of shardSizes) starts.push((starts.at(-1) ?? 0) + size);
  return Int32Array.from(starts);
}

test('each sample comes once, and those of a group of shards come together', () => {
  fc.assert(
    fc.property(
      sizes,
      fc.integer({ min: 1, max: 100 }),
      fc.nat(),
      fc.nat(),
      (shardSizes, buffer, seed, epoch) => {
        const starts = startsOf(shardSizes);
        const { samples, groups } = groupedOrder(starts, { seed, epoch, buffer });
        expect([...samples].sort((a, b) => a - b)).toEqual(Array.from(samples, (_, index) => index));
        expect(groups.flatMap(({ shards }) => shards).sort((a, b) => a - b)).toEqual(
          shardSizes.map((_, shard) => shard),
        );
        let first = 0;
        for (const [at, group] of groups.entries()) {
          expect(group.first).toBe(first);
          if (at < groups.length - 1) expect(group.end - group.first).toBeGreaterThanOrEqual(buffer);
          const wanted = group.shards.flatMap((shard) =>
            Array.from({ length: shardSizes[shard] ?? 0 }, (_, i) => (starts[shard] ?? 0) + i),
          );
          const found = [...samples.subarray(group.first, group.end)];
          expect(found.sort((a, b) => a - b)).toEqual(wanted.sort((a, b) => a - b));
          first = group.end;
        }
        expect(first).toBe(samples.length);
      },
    ),
  );
});

test('the order depends on seed and epoch', () => {
  const starts = startsOf([30, 30, 30, 30]);
  const order = (seed: number, epoch: number) => [
    ...groupedOrder(starts, { seed, epoch, buffer: 50 }).samples,
  ];
  expect(order(1, 2)).toEqual(order(1, 2));
  expect(order(1, 2)).not.toEqual(order(1, 3));
  expect(order(1, 2)).not.toEqual(order(2, 2));
});

test('within a group every sample is as likely at every place', () => {
  const [group, epochs] = [12, 6000];
  const counts = new Map<number, number>();
  for (let epoch = 0; epoch < epochs; epoch++) {
    const { samples } = groupedOrder(startsOf([4, 4, 4]), { seed: 9, epoch, buffer: group });
    const first = samples[0] ?? -1;
    counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  const expected = epochs / group;
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  expect(counts.size).toBe(group);
  // 99.99 % of a chi-square distribution with 11 degrees of freedom
  expect(chiSquare).toBeLessThan(37.4);
});
