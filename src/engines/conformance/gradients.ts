import { describe, expect, it } from 'vitest';
import { fill } from '../../../test/golden/formula.js';
import { Graph, type Value } from '../../graph/graph.js';
import {
  accumulateGradients,
  clipGradientNorm,
  clipGradientValue,
  unscaleGradients,
} from '../../graph/ops/gradients.js';
import { sgd } from '../../graph/ops/optimizers.js';
import type { Engine, EngineState, HostArray, Program, RunOptions } from '../engine.js';
import { expectClose, type GoldenCase, readGolden } from './golden.js';

const shapes = { weight: [5, 7], bias: [5] } as const;
const names = ['weight', 'bias'] as const;
const counts = { weight: 35, bias: 5 };

type Build = (graph: Graph, pairs: readonly Value[]) => Value[];

/** What happens to gradients between the backward pass and the optimizer. */
export function gradientConformance(engine: () => Engine): void {
  describe('clipping against PyTorch', () => {
    for (const golden of readGolden('gradients.safetensors')) {
      it(golden.id, () => clipCase(engine(), golden));
    }
  });

  it('adds gradients up, in a run without an update', () => {
    withProgram(engine(), accumulated, ({ run, program, state }) => {
      const [first, second] = [gradients('first'), gradients('second')];
      const before = state.read('weight');
      // what an infinite one left behind does not stay
      run({ ...gradients('first', Number.POSITIVE_INFINITY), keep: 0 }, { update: false });
      run({ ...first, keep: 0 }, { update: false });
      run({ ...first, keep: 1 }, { update: false });
      expect(state.read('weight')).toEqual(before);
      run({ ...second, keep: 1 });
      for (const name of names) {
        const expected = first[name].map((value, index) => 2 * value + (second[name][index] ?? 0));
        expectClose(name, state.read(name, 'gradient'), expected, 1e-6);
        expectClose(
          `${name} after the update`,
          state.read(name),
          expected.map((value) => -value),
          1e-6,
        );
      }
      expect(program.read('count')[0]).toBe(7);
    });
  });

  it('ends the run at an infinite or NaN gradient, and only there', () => {
    withProgram(engine(), unscaled, ({ run, program, state }) => {
      for (const bad of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]) {
        for (const name of names) {
          const given = gradients('first');
          given[name][3] = bad;
          run({ ...given, scale: 8 });
          expect(program.read('found')[0]).toBe(1);
        }
      }
      for (const name of names) {
        expect(state.read(name).every((value) => value === 0)).toBe(true);
        expect(state.read(name, 'momentum').every((value) => value === 0)).toBe(true);
      }
      // as large as a float can be is not infinite
      const given = gradients('first', 1e38);
      run({ ...given, scale: 8 });
      expect(program.read('found')[0]).toBe(0);
      for (const name of names) {
        expectClose(
          name,
          state.read(name),
          given[name].map((value) => -value / 8),
          1e-6,
        );
      }
    });
  });
}

const accumulated: Build = (graph, pairs) => {
  const sums = graph.apply(accumulateGradients, {}, [graph.input('keep', [1]), ...pairs], 'accumulate');
  graph.beginUpdate();
  return sums;
};

const unscaled: Build = (graph, pairs) => {
  graph.beginUpdate();
  const inputs = [graph.input('scale', [1]), ...pairs];
  const [found, ...results] = graph.apply(unscaleGradients, {}, inputs, 'unscale');
  if (found) graph.output('found', found);
  return results;
};

function clipCase(engine: Engine, golden: GoldenCase): void {
  const { limit, gradientScale } = golden.attributes as { limit: number; gradientScale: number };
  const build: Build = (graph, pairs) => {
    const inputs = [graph.input('limit', [1]), ...pairs];
    if (golden.op === 'clipGradientValue') return graph.apply(clipGradientValue, {}, inputs, 'clip');
    const [norm, ...results] = graph.apply(clipGradientNorm, {}, inputs, 'clip');
    if (norm) graph.output('norm', norm);
    return results;
  };
  withProgram(engine, build, ({ run, program, state }) => {
    const given = Object.fromEntries(
      names.map((name) => [name, fill(`gradient:${name}`, counts[name], gradientScale)]),
    );
    run({ ...given, limit });
    for (const name of names) {
      const expected = golden.tensors.get(name)?.data ?? [];
      expectClose(name, state.read(name, 'gradient'), expected, 1e-6);
      expectClose(
        `${name} after the update`,
        state.read(name),
        Array.from(expected, (value) => -value),
        1e-6,
      );
    }
    const norm = golden.tensors.get('norm');
    if (norm) expectClose('norm', program.read('norm'), norm.data, 1e-6);
  });
}

interface Running {
  readonly program: Program;
  readonly state: EngineState;
  run(inputs: Record<string, number | HostArray>, options?: RunOptions): void;
}

/** Two parameters at 0 whose gradients are inputs, and an update by exactly the negative gradient. */
function withProgram(engine: Engine, build: Build, use: (running: Running) => void): void {
  const graph = new Graph();
  const zero = { kind: 'constant', value: 0 } as const;
  const parameters = names.map((name) => graph.parameter(name, shapes[name], zero, name === 'weight'));
  const pairs = parameters.flatMap((parameter) => [
    parameter,
    graph.input(`gradient:${parameter.name}`, parameter.shape),
  ]);
  // a value that is read in every run, whether it updates or not
  const count = graph.input('count', [1]);
  graph.output('count', count);
  const results = build(graph, pairs);
  const scalars = ['learningRate', 'momentum', 'weightDecay'].map((name) => graph.input(name, [1]));
  const updated = parameters.flatMap((parameter, index) => [parameter, results[index] as Value]);
  graph.apply(sgd, { nesterov: false }, [...scalars, ...updated], 'sgd');
  const state = engine.createState();
  try {
    const program = engine.compile(graph, { state, poison: true });
    const run: Running['run'] = (given, options) => {
      const all = { count: 7, learningRate: 1, momentum: 0, weightDecay: 0, ...given };
      const inputs = Object.entries(all).map(([name, value]) => [
        name in shapes ? `gradient:${name}` : name,
        typeof value === 'number' ? Float32Array.of(value) : value,
      ]);
      program.run(Object.fromEntries(inputs), options);
    };
    use({ program, state, run });
    program.close();
  } finally {
    state.close();
  }
}

function gradients(seed: string, scale = 1): { weight: Float32Array; bias: Float32Array } {
  return {
    weight: fill(`${seed}:weight`, counts.weight, scale),
    bias: fill(`${seed}:bias`, counts.bias, scale),
  };
}
