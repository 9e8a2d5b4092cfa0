import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fill } from '../../../test/golden/formula.js';
import { type DType, Graph } from '../../graph/graph.js';
import { cast } from '../../graph/ops/cast.js';
import { flatten } from '../../graph/ops/flatten.js';
import type { Engine } from '../engine.js';
import { engines } from '../registry.js';

let engine: Engine;
beforeAll(async () => {
  engine = await engines.onednn({ threads: 1 });
});
afterAll(() => engine.close());

/** Rounded to the eight digits of a bf16, to even: 16 bits of the float are left. */
function bf16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  const word = bits[0] ?? 0;
  bits[0] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer)[0] ?? Number.NaN;
}

function there(shape: readonly number[], dtype: DType, back: 'cast' | 'flatten'): Float32Array {
  const graph = new Graph();
  const x = graph.input('x', shape);
  const half = graph.apply1(cast, { dtype }, [x], 'half');
  const seen = back === 'flatten' ? graph.apply1(flatten, {}, [half], 'flat') : half;
  graph.output('y', graph.apply1(cast, { dtype: 'f32' }, [seen], 'full'));
  const state = engine.createState();
  const program = engine.compile(graph, { state, poison: true });
  program.run({
    x: fill(
      'x',
      shape.reduce((product, extent) => product * extent, 1),
    ),
  });
  const y = program.read('y');
  program.close();
  state.close();
  return y;
}

// what primitives other than the reorder do in bf16 needs AVX-512; see conformance-bf16.test.ts
describe('the cast of oneDNN', () => {
  it.each([[[5, 7]], [[2, 24, 3, 3]], [[2, 3, 40, 90]], [[3]]])('rounds %j to bf16 and back', (shape) => {
    const count = shape.reduce((product, extent) => product * extent, 1);
    expect([...there(shape, 'bf16', 'cast')]).toEqual([...fill('x', count).map(bf16)]);
  });
});
