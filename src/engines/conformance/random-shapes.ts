import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fill } from '../../../test/golden/formula.js';
import { elements } from '../../graph/graph.js';
import type { Precision } from '../../train/precision/precision.js';
import type { Engine } from '../engine.js';
import type { GoldenTensor } from './golden.js';
import { roundings } from './half.js';
import { type Drawn, drawings, fp32Only } from './random-cases.js';
import type { Expected, Sums } from './reference/sums.js';
import { runOperation } from './single-operation.js';

/** RESNODE_TEST_SEED repeats a run: the seed stands in the name of each test, and fast-check's message tells the rest. */
const seed = Number(process.env.RESNODE_TEST_SEED ?? Date.now() % 2 ** 31);

/** Each operation on shapes drawn anew in every run, forward and backward, beside loops in double precision. */
export function randomConformance(engine: () => Engine, precision: Precision = 'fp32'): void {
  describe(`random shapes beside plain loops, in ${precision}`, () => {
    for (const [name, { drawing, runs, always = [] }] of Object.entries(drawings)) {
      if (precision !== 'fp32' && fp32Only.has(name)) continue;
      it(`${name} (seed ${seed})`, () => {
        const property = fc.property(drawing, (drawn) => runDrawn(engine(), drawn, precision));
        fc.assert(property, { seed, numRuns: runs, examples: always.map((drawn): [Drawn] => [drawn]) });
      });
    }
  });
}

function runDrawn(engine: Engine, drawn: Drawn, precision: Precision): void {
  const tensors = new Map<string, GoldenTensor>();
  for (const [role, shape] of Object.entries(drawn.inputs)) {
    tensors.set(role, { shape, data: values(drawn, role, precision) });
  }
  const expected: Expected = drawn.reference((role) => {
    const found = tensors.get(role);
    if (!found) throw new Error(`${drawn.op} has no ${role}`);
    return found;
  });
  for (const [role, { shape, values }] of expected)
    tensors.set(role, { shape, data: Float32Array.from(values) });
  for (const role of drawn.absent ?? []) tensors.delete(role);
  const { op, attributes } = drawn;
  runOperation(
    engine,
    { op, attributes, tensors },
    {
      precision,
      check: (role, actual, run) => expectSums(`${role}, ${run}`, actual, expected.get(role), precision),
    },
  );
}

/**
 * Some kernels add up in half, where each step rounds; some four of them are at the same side. What goes in has seven digits
 * in half and is exact.
 */
function expectSums(
  what: string,
  actual: Float32Array,
  expected: Sums | undefined,
  precision: Precision,
): void {
  expect(actual.length, `${what}: length`).toBe(expected?.values.length);
  const half = precision === 'fp32' ? 0 : roundings[precision];
  expected?.values.forEach((value, index) => {
    const allowed = (1e-6 + 4 * half) * (expected.sizes[index] ?? 0);
    const error = Math.abs((actual[index] ?? Number.NaN) - value);
    if (!(error <= allowed)) {
      expect.fail(
        `${what}: element ${index} is ${actual[index]} instead of ${value} (${error} above ${allowed})`,
      );
    }
  });
}

function values(drawn: Drawn, role: string, precision: Precision): Float32Array | Int32Array {
  const shape = drawn.inputs[role] ?? [];
  // uniform in -1 ... 1
  const uniform = fill(`${drawn.seed}:${role}`, elements({ shape }), 1 / Math.sqrt(3));
  const special = drawn.values?.[role];
  if (special) return special(uniform);
  return precision === 'fp32' ? uniform : uniform.map((value) => (2 * Math.floor(value * 63.9) + 1) / 128);
}
