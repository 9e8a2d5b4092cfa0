import { elements, required, type Value } from '../../../graph/graph.js';
import { fillUint32 } from '../../../random/philox.js';
import type { HostArray } from '../../engine.js';
import type { Emitter } from '../emitter.js';
import { type Slot, tensor } from '../step.js';
import type { Kernel } from './kernel.js';

export const dropout: Kernel<'dropout'> = {
  emit(node, emitter) {
    const [x, seed, step] = node.inputs;
    const [y, mask] = node.outputs;
    if (!x || !seed || !step || !y || !mask) throw new Error(`'${node.name}' lacks inputs or outputs`);
    const { p, stream } = node.attributes;
    const factors = new Float32Array(elements(mask));
    // on every engine the same draw, so the host makes it
    const slot = emitter.upload(mask.shape, x.dtype, (inputs) => {
      const words = integers(inputs[seed.name]);
      drawFactors(factors, p, words, integers(inputs[step.name])[0] ?? 0, stream);
      return factors;
    });
    emitter.define(mask, slot);
    emitter.define(y, masked(emitter, emitter.slot(x), slot, y));
  },
};

export const dropoutBackward: Kernel<'dropoutBackward'> = {
  emit(node, emitter) {
    const dx = required(node.outputs, 0, node.name);
    emitter.define(dx, masked(emitter, emitter.input(node, 0), emitter.input(node, 1), dx));
  },
};

function masked(emitter: Emitter, x: Slot, factors: Slot, like: Value): Slot {
  if (emitter.mayOverwrite(x)) return emitter.callInPlace('mul_', x, [tensor(factors)], 'Tensor');
  return emitter.call1('mul', [tensor(x), tensor(factors)], like, 'Tensor');
}

const drawn = new Uint32Array(4096);
const halves = new Uint16Array(drawn.buffer);

/** 1 / (1 - p) where an element is kept, else 0. Each takes 16 bits of the stream, so p is met to 1 in 65,536. */
function drawFactors(factors: Float32Array, p: number, seed: Int32Array, step: number, stream: number): void {
  const threshold = Math.round(p * 65536);
  const kept = 1 / (1 - p);
  for (let start = 0, block = 0; start < factors.length; start += halves.length, block++) {
    fillUint32(drawn, seed, [block, stream, step]);
    const end = Math.min(factors.length - start, halves.length);
    for (let index = 0; index < end; index++) {
      factors[start + index] = (halves[index] ?? 0) >= threshold ? kept : 0;
    }
  }
}

function integers(array: HostArray | undefined): Int32Array {
  if (array instanceof Int32Array) return array;
  throw new Error('seed and step are 32-bit integers from the host');
}
