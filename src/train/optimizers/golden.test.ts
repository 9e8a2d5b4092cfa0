import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fill, labels } from '../../../test/golden/formula.js';
import type { Engine, OptimizerSlot } from '../../engines/engine.js';
import { engines } from '../../engines/registry.js';
import { differentiate } from '../../graph/differentiate.js';
import { Graph } from '../../graph/graph.js';
import { linear } from '../../graph/ops/linear.js';
import { softmaxCrossEntropy } from '../../graph/ops/loss.js';
import { resolveSchedule, Schedule, type ScheduleSpec } from '../schedules/index.js';
import { Optimizer, type OptimizerSpec } from './index.js';

type Named = Readonly<Record<string, number[]>>;

interface GoldenCase {
  readonly id: string;
  readonly lr: number;
  readonly optimizer: OptimizerSpec;
  readonly schedule: ScheduleSpec;
  /** Parameters after some of the steps. */
  readonly after: Readonly<Record<string, Named>>;
  /** What the optimizer holds at the end: `slot.parameter`. */
  readonly state: Named;
}

const golden = JSON.parse(
  readFileSync(new URL('../../../test/golden/training.json', import.meta.url), 'utf8'),
) as { steps: number; batch: number; features: number; classes: number; cases: GoldenCase[] };

const { steps, batch, features, classes } = golden;
const parameters = ['weight', 'bias'] as const;
const first = {
  weight: fill('weight', classes * features, 0.3),
  bias: fill('bias', classes, 0.3),
};

let engine: Engine;
beforeAll(async () => {
  engine = await engines.onednn({ threads: 1 });
});
afterAll(() => engine.close());

/** A softmax regression with its update. */
function regression(optimizer: Optimizer): Graph {
  const graph = new Graph();
  const zero = { kind: 'constant', value: 0 } as const;
  const weight = graph.parameter('weight', [classes, features], zero, true);
  const bias = graph.parameter('bias', [classes], zero, false);
  const logits = graph.apply1(linear, {}, [graph.input('x', [batch, features]), weight, bias], 'linear');
  const target = graph.input('labels', [batch], 'i32');
  const loss = graph.apply1(softmaxCrossEntropy, { labelSmoothing: 0 }, [logits, target], 'loss');
  const gradients = differentiate(graph, { loss });
  const pairs = [weight, bias].map((value) => [value, gradients.get(value) as typeof value] as const);
  optimizer.append(graph, pairs);
  graph.output('loss', loss);
  return graph;
}

function batchOf(step: number): { x: Float32Array; labels: Int32Array } {
  const x = fill(`batch:${step}`, batch * features);
  const target = labels(step * batch, batch, classes);
  target.forEach((label, row) => {
    x[row * features + label] = (x[row * features + label] as number) + 0.5;
  });
  return { x, labels: target };
}

/** All that a run has to keep between two processes: numbers by name, and the schedule as JSON. */
interface Kept {
  readonly values: ReadonlyMap<string, Float32Array>;
  readonly schedule: string;
}

/** Trains from one step to another in a state of its own; `see` gets the parameters after each step. */
function train(
  each: GoldenCase,
  [from, to]: readonly [number, number],
  kept: Kept | undefined,
  see: (step: number, read: (name: string) => Float32Array) => void = () => {},
): Kept {
  const optimizer = new Optimizer(each.optimizer);
  const run = { epochs: 1, stepsPerEpoch: steps, cyclesMomentum: optimizer.cyclesMomentum };
  const saved = kept && JSON.parse(kept.schedule);
  const schedule = new Schedule(resolveSchedule(each.schedule, run), { ...run, baseRate: each.lr, saved });
  const state = engine.createState();
  const names = parameters.flatMap((name) =>
    [undefined, ...optimizer.slots].map((slot) => [name, slot] as const),
  );
  const keyOf = (name: string, slot: OptimizerSlot | undefined): string => (slot ? `${slot}.${name}` : name);
  try {
    const program = engine.compile(regression(optimizer), { state, poison: true });
    for (const [name, slot] of names) {
      const begin = slot ? new Float32Array(first[name].length) : first[name];
      state.write(name, kept?.values.get(keyOf(name, slot)) ?? begin, slot);
    }
    for (let step = from + 1; step <= to; step++) {
      const { learningRate, momentum = Number.NaN } = schedule;
      const scalars = Object.entries(optimizer.scalars({ learningRate, momentum, update: step }));
      const inputs = scalars.map(([name, value]) => [name, Float32Array.of(value)] as const);
      program.run({ ...batchOf(step), ...Object.fromEntries(inputs) });
      schedule.advance(1);
      see(step, (name) => state.read(name));
    }
    program.close();
    const values = new Map(names.map(([name, slot]) => [keyOf(name, slot), state.read(name, slot)] as const));
    return { values, schedule: JSON.stringify(schedule.save()) };
  } finally {
    state.close();
  }
}

/** Largest difference over the largest expected magnitude. */
function error(actual: Float32Array | undefined, expected: readonly number[]): number {
  const largest = Math.max(...expected.map(Math.abs), 1e-30);
  return Math.max(
    ...expected.map((value, index) => Math.abs((actual?.[index] ?? Number.NaN) - value) / largest),
  );
}

describe('200 steps of each optimizer with a schedule', () => {
  describe.each(golden.cases.map((each) => [each.id, each] as const))('%s', (_, each) => {
    it('end where PyTorch ends', () => {
      const seen: string[] = [];
      const { values } = train(each, [0, steps], undefined, (step, read) => {
        for (const [name, expected] of Object.entries(each.after[step] ?? {})) {
          seen.push(`${step}.${name}`);
          expect(error(read(name), expected), `${name} after step ${step}`).toBeLessThan(5e-6);
        }
      });
      expect(seen).toHaveLength(2 * Object.keys(each.after).length);
      for (const [key, expected] of Object.entries(each.state)) {
        expect(error(values.get(key), expected), key).toBeLessThan(2e-5);
      }
    });

    it('end at the same bytes when they were stopped on the way', () => {
      const whole = train(each, [0, steps], undefined);
      for (const stops of [[1], [20, 65, 66], [steps - 1]]) {
        const ends = [0, ...stops, steps];
        let kept: Kept | undefined;
        for (let part = 1; part < ends.length; part++) {
          kept = train(each, [ends[part - 1] as number, ends[part] as number], kept);
        }
        expect(kept).toEqual(whole);
      }
    });
  });

  it('leave out the decay of biases alone', () => {
    const biases = (noDecay: boolean): Float32Array | undefined => {
      const optimizer = { kind: 'adamw', weightDecay: 0.5, noDecay };
      const each = { ...(golden.cases[0] as GoldenCase), optimizer, schedule: { name: 'constant' } };
      return train(each, [0, 1], undefined).values.get('bias');
    };
    const [spared, decayed] = [biases(true), biases(false)];
    // the first step of Adam is as long as the rate, whatever the gradient: the rest is the decay
    const shrunk = [...first.bias].map((value, index) => (spared?.[index] ?? 0) - 0.1 * 0.5 * value);
    expect(error(decayed, shrunk)).toBeLessThan(1e-6);
  });
});
