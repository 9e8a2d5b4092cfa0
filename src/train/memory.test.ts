import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../engines/engine.js';
import { engines } from '../engines/registry.js';
import { planActivations } from '../graph/activation-plan.js';
import { createModel } from '../models/index.js';
import { largestBatch, trainingMemory } from './memory.js';
import { Optimizer } from './optimizers/index.js';
import type { Precision } from './precision/precision.js';
import { trainingGraph } from './training-graph.js';

const optimizer = new Optimizer({ kind: 'sgd' });

let engine: Engine;
beforeAll(async () => {
  engine = await engines.onednn({ threads: 1 });
});
afterAll(() => engine.close());

function graphOf(name: string, [batchSize, side]: readonly [number, number], precision: Precision = 'fp32') {
  const options = { batchSize, classes: 100, height: side, width: side, optimizer, precision };
  return trainingGraph(createModel({ name }), options);
}

describe('the plan of a graph', () => {
  it.each([
    ['resnet20', [16, 96]],
    ['resnet26', [8, 112]],
    ['cifar-resnet20', [64, 32]],
  ] as const)('is what oneDNN takes for %s, and a little above', (name, size) => {
    const graph = graphOf(name, size);
    const state = engine.createState();
    const program = engine.compile(graph, { state });
    const ratio = planActivations(graph).size / program.memory.arena;
    program.close();
    state.close();
    // 1.0 to 1.1 on AVX2; layouts and scratch memory are others on other CPUs
    expect(ratio).toBeGreaterThan(0.9);
    expect(ratio).toBeLessThan(1.35);
  });

  it('takes about half in half precision', () => {
    const [full, half] = (['fp32', 'bf16'] as const).map(
      (precision) => planActivations(graphOf('resnet26', [64, 112], precision)).size,
    );
    expect((half ?? 0) / (full ?? 1)).toBeLessThan(0.62);
  });
});

describe('the largest batch', () => {
  const question = { model: createModel({ name: 'resnet20' }), classes: 100, crop: 96, optimizer };

  it.each([0.5e9, 1e9])('fits into %d bytes, and one more does not', (limit) => {
    const found = largestBatch(question, { limit, atMost: 100_000 });
    const batchSize = found?.batchSize ?? 0;
    expect(trainingMemory({ ...question, batchSize }).total).toBeLessThanOrEqual(limit);
    expect(trainingMemory({ ...question, batchSize: batchSize + 1 }).total).toBeGreaterThan(limit);
  });

  it('is larger in micro-batches, and a multiple of them', () => {
    const options = { limit: 0.5e9, atMost: 100_000 };
    const [whole, parts] = [
      largestBatch(question, options),
      largestBatch({ ...question, accumulate: 4 }, options),
    ];
    expect(parts?.batchSize ?? 0).toBeGreaterThan(whole?.batchSize ?? 0);
    expect((parts?.batchSize ?? 1) % 4).toBe(0);
  });

  it('is no more than there are pictures, and none where nothing fits', () => {
    expect(largestBatch(question, { limit: 1e12, atMost: 50 })?.batchSize).toBe(50);
    expect(largestBatch(question, { limit: 1e8, atMost: 50 })).toBeUndefined();
  });
});
