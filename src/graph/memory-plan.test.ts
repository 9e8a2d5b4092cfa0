import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createModel } from '../models/index.js';
import { Layers } from '../models/layers.js';
import { differentiate } from './differentiate.js';
import { fuse } from './fuse.js';
import { elements, Graph, type Value } from './graph.js';
import { planMemory, type Region } from './memory-plan.js';
import { softmaxCrossEntropy } from './ops/loss.js';

const region = fc
  .record({ size: fc.nat({ max: 100_000 }), first: fc.nat({ max: 60 }), length: fc.nat({ max: 30 }) })
  .map(({ size, first, length }): Region => ({ size, first, last: first + length }));
const regions = fc.array(region, { maxLength: 60 });
const alignment = fc.constantFrom(1, 64, 4096);

describe('planMemory', () => {
  it('never lets two regions that live at the same time overlap', () => {
    fc.assert(
      fc.property(regions, alignment, (list, align) => {
        const { offsets, size } = planMemory(list, align);
        expect(offsets).toHaveLength(list.length);
        list.forEach((a, i) => {
          const start = offsets[i] ?? Number.NaN;
          expect(start >= 0 && start % align === 0 && start + a.size <= size).toBe(true);
          list.slice(0, i).forEach((b, j) => {
            const other = offsets[j] ?? Number.NaN;
            const together = a.first <= b.last && b.first <= a.last;
            const apart = start + a.size <= other || other + b.size <= start;
            expect(apart || !together || a.size === 0 || b.size === 0).toBe(true);
          });
        });
      }),
    );
  });

  it('needs no less than what lives at one step, and no more than everything side by side', () => {
    fc.assert(
      fc.property(regions, alignment, (list, align) => {
        const padded = list.map(({ size }) => Math.ceil(size / align) * align);
        const alive = list.map((at) =>
          list.reduce(
            (sum, { first, last }, j) => sum + (first <= at.first && at.first <= last ? (padded[j] ?? 0) : 0),
            0,
          ),
        );
        const { size, lowerBound } = planMemory(list, align);
        expect(lowerBound).toBe(Math.max(0, ...alive));
        expect(size).toBeGreaterThanOrEqual(lowerBound);
        expect(size).toBeLessThanOrEqual(padded.reduce((sum, each) => sum + each, 0));
      }),
    );
  });

  it('gives the same plan for the same regions', () => {
    fc.assert(
      fc.property(regions, (list) => {
        expect(planMemory(list.map((each) => ({ ...each })))).toEqual(planMemory(list));
      }),
    );
  });

  it('uses memory again as soon as its step is over', () => {
    const chain = Array.from(
      { length: 10 },
      (_, step): Region => ({ size: 1000, first: step, last: step + 1 }),
    );
    expect(planMemory(chain, 8)).toMatchObject({ size: 2000, lowerBound: 2000 });
  });

  it('plans nothing for nothing', () => {
    expect(planMemory([])).toEqual({ offsets: [], size: 0, lowerBound: 0 });
  });

  it.each(['resnet26', 'resnet50', 'vgg13'])(
    'stays within 1.15 of the bound for a training step of %s',
    (name) => {
      const plan = planMemory(lifetimes(name));
      expect(plan.size / plan.lowerBound).toBeLessThanOrEqual(1.15);
    },
  );
});

/** The computed values of a training step at batch 32: from the node that makes each to the last that reads it. */
function lifetimes(name: string): Region[] {
  const model = createModel({ name });
  const graph = new Graph();
  const layers = new Layers(graph, { training: true });
  const logits = model.build(
    layers,
    graph.input('image', [32, 3, model.defaultSize, model.defaultSize]),
    256,
  );
  const inputs = [logits, graph.input('labels', [32], 'i32')];
  const loss = graph.apply1(softmaxCrossEntropy, { labelSmoothing: 0 }, inputs, 'loss');
  for (const [value, gradient] of differentiate(graph, { loss }))
    graph.output(`gradient:${value.name}`, gradient);
  const { nodes } = fuse(graph);
  const last = new Map<Value, number>();
  nodes.forEach((node, step) => {
    for (const value of [...node.inputs, ...node.outputs]) last.set(value, step);
  });
  return nodes.flatMap((node, first) =>
    node.outputs.map((value) => ({ size: 4 * elements(value), first, last: last.get(value) ?? first })),
  );
}
