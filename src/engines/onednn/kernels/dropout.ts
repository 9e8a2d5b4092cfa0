import type { Value } from '../../../graph/graph.js';
import { required } from '../../../graph/graph.js';
import { fillUint32 } from '../../../random/philox.js';
import type { Emitter } from '../emitter.js';
import { algorithm, arg } from '../ffi.js';
import type { Tensor } from '../tensor.js';
import type { Kernel } from './kernel.js';

export const dropout: Kernel<'dropout'> = {
  emit(node, emitter) {
    const { name, attributes } = node;
    const [y, mask] = node.outputs;
    if (!y || !mask) throw new Error(`'${name}' lacks outputs`);
    const x = emitter.plain(emitter.input(node, 0), name);
    const kept = emitter.allocate(emitter.descriptors.plain(mask.shape, 'u8'));
    emitter.emitHost({
      name: `${name}.mask`,
      reads: [emitter.input(node, 1), emitter.input(node, 2)],
      writes: [kept],
      run(views) {
        drawMask(views.bytes(2), attributes.p, views.ints(0), views.ints(1)[0] ?? 0, attributes.stream);
      },
    });
    emitter.define(mask, kept);
    emitMasked(emitter, name, x, kept, attributes.p, y);
  },
};

export const dropoutBackward: Kernel<'dropoutBackward'> = {
  emit(node, emitter) {
    const { name, attributes } = node;
    const dx = required(node.outputs, 0, name);
    const dy = emitter.plain(emitter.input(node, 0), name);
    emitMasked(emitter, name, dy, emitter.input(node, 1), attributes.p, dx);
  },
};

/** result = x mask / (1 - p) */
function emitMasked(emitter: Emitter, name: string, x: Tensor, mask: Tensor, p: number, result: Value): void {
  const descriptor = emitter.primitive(
    name,
    'dnnl_binary_primitive_desc_create',
    emitter.runtime.engine,
    algorithm.multiply,
    x.descriptor.handle,
    mask.descriptor.handle,
    x.descriptor.handle,
    emitter.attributes((postOps) => {
      emitter.runtime.library.call('dnnl_post_ops_append_eltwise', postOps, algorithm.linear, 1 / (1 - p), 0);
    }),
  );
  const target = emitter.mayOverwrite(x) ? x : emitter.allocateFor(result, x.descriptor);
  const reads = [
    [arg.source, x],
    [arg.source1, mask],
  ] as const;
  emitter.emit(name, descriptor, reads, [[arg.destination, target]]);
  emitter.define(result, target);
}

const words = 4096;
const drawn = new Uint32Array(words);
const halves = new Uint16Array(drawn.buffer);

/** 1 where an element is kept. Each takes 16 bits of the stream, so p is met to 1 in 65,536. */
function drawMask(mask: Uint8Array, p: number, seed: Int32Array, step: number, stream: number): void {
  const threshold = Math.round(p * 65536);
  for (let start = 0, block = 0; start < mask.length; start += halves.length, block++) {
    fillUint32(drawn, seed, [block, stream, step]);
    const end = Math.min(mask.length - start, halves.length);
    for (let index = 0; index < end; index++) mask[start + index] = (halves[index] ?? 0) >= threshold ? 1 : 0;
  }
}
