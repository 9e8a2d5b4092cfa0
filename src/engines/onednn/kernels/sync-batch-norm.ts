import { elements } from '../../../graph/graph.js';
import type { NodeOf } from '../../../graph/ops/index.js';
import { membersFor, remainderOf, shareMoments } from '../../batch-moments.js';
import type { Emitter } from '../emitter.js';
import { algorithm, arg, type Handle, normFlags, prop } from '../ffi.js';
import { channelVector } from '../layout.js';
import type { Tensor } from '../tensor.js';

// Batch norm over the pictures of all replicas: each takes the statistics of its own, the sums of all give the common
// ones, and with these each normalises as if they were running statistics.

type Attributes = NodeOf<'batchNorm'>['attributes'];

export function emitSyncBatchNorm(node: NodeOf<'batchNorm'>, emitter: Emitter): void {
  const { name, attributes } = node;
  const [x, scale, shift] = [emitter.input(node, 0), emitter.input(node, 1), emitter.input(node, 2)];
  const [y, mean, variance, passed] = node.outputs;
  if (!y || !mean || !variance) throw new Error(`'${name}' lacks outputs`);
  const statistic = emitter.descriptors.plain(mean.shape, 'f32');
  const means = emitter.allocateFor(mean, statistic);
  const variances = emitter.allocateFor(variance, statistic);
  const destination = emitter.allocateFor(y, x.descriptor);
  const parameters = [
    [arg.scale, scale],
    [arg.shift, shift],
  ] as const;
  // what it writes to the destination is written over below: it is run for the statistics alone
  const own = forward(emitter, `${name}.own`, x, attributes, normFlags.scale | normFlags.shift);
  emitter.emit(
    `${name}.own`,
    own,
    [[arg.source, x], ...parameters],
    [
      [arg.destination, destination],
      [arg.mean, means],
      [arg.variance, variances],
    ],
  );
  const communicator = membersFor(emitter.communicator, attributes.replicas ?? 1);
  emitter.emitHost({
    name: `${name}.statistics`,
    reads: [means, variances],
    writes: [means, variances],
    run: (views) => shareMoments(communicator, views.floats(0), views.floats(1)),
  });
  const descriptor = forward(emitter, name, x, attributes, globalFlags(attributes));
  const writes: Array<readonly [number, Tensor]> = [[arg.destination, destination]];
  if (passed) {
    const workspace = emitter.descriptors.chosen(descriptor, 'workspace', [1], 'u8');
    if (!workspace) throw new Error(`'${name}' has no workspace`);
    const note = emitter.allocate(workspace);
    writes.push([arg.workspace, note]);
    emitter.define(passed, note);
  }
  emitter.emit(
    name,
    descriptor,
    [[arg.source, x], ...parameters, [arg.mean, means], [arg.variance, variances]],
    writes,
  );
  emitter.define(y, destination);
  emitter.define(mean, means);
  emitter.define(variance, variances);
}

/** The gradient as for given statistics, by oneDNN, and the rest of it, see {@link remainderOf}. */
export function emitSyncBatchNormBackward(node: NodeOf<'batchNormBackward'>, emitter: Emitter): void {
  const { name, attributes } = node;
  const [dx, dscale, dshift] = node.outputs;
  if (!dx || !dscale || !dshift) throw new Error(`'${name}' lacks outputs`);
  const x = emitter.input(node, 1);
  const dy = emitter.convert(emitter.input(node, 0), x.descriptor, name);
  const [mean, variance, scale] = [2, 3, 4].map((index) => emitter.input(node, index)) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const result = emitter.mayOverwrite(dy) ? dy : emitter.allocateFor(dx, x.descriptor);
  const statistic = emitter.descriptors.plain(dscale.shape, 'f32');
  const dscales = emitter.allocateFor(dscale, statistic);
  const dshifts = emitter.allocateFor(dshift, statistic);
  const reads: Array<readonly [number, Tensor]> = [
    [arg.source, x],
    [arg.diffDestination, dy],
    [arg.mean, mean],
    [arg.variance, variance],
    [arg.scale, scale],
  ];
  if (attributes.relu) reads.push([arg.workspace, emitter.input(node, 5)]);
  emitter.emit(name, backward(emitter, name, x, attributes), reads, [
    [arg.diffSource, result],
    [arg.diffScale, dscales],
    [arg.diffShift, dshifts],
  ]);
  const [factors, constants] = [emitter.allocate(statistic), emitter.allocate(statistic)];
  const communicator = membersFor(emitter.communicator, attributes.replicas ?? 1);
  const count = (elements(dx) / elements(dscale)) * (attributes.replicas ?? 1);
  emitter.emitHost({
    name: `${name}.sums`,
    reads: [dscales, dshifts, mean, variance, emitter.plain(scale, name)],
    writes: [factors, constants],
    run(views) {
      const [dscaled, dshifted, means, variances, scales] = [0, 1, 2, 3, 4].map((at) => views.floats(at));
      if (!dscaled || !dshifted || !means || !variances || !scales) return;
      const sums = {
        ...{
          scaleGradient: dscaled,
          shiftGradient: dshifted,
          mean: means,
          variance: variances,
          scale: scales,
        },
        ...{ epsilon: attributes.epsilon, count },
      };
      remainderOf(communicator, sums, { factors: views.floats(5), constants: views.floats(6) });
    },
  });
  emitRest(emitter, `${name}.rest`, { x, factors, constants, result });
  emitter.define(dx, result);
  emitter.define(dscale, dscales);
  emitter.define(dshift, dshifts);
}

/** result += x factors + constants, channel by channel. */
function emitRest(
  emitter: Emitter,
  name: string,
  { x, factors, constants, result }: { x: Tensor; factors: Tensor; constants: Tensor; result: Tensor },
): void {
  const row = channelVector(emitter.descriptors, x.descriptor);
  const [factor, constant] = [emitter.reinterpret(factors, row), emitter.reinterpret(constants, row)];
  const descriptor = emitter.primitive(
    name,
    'dnnl_binary_primitive_desc_create',
    emitter.runtime.engine,
    algorithm.multiply,
    x.descriptor.handle,
    row.handle,
    result.descriptor.handle,
    emitter.attributes((postOps) => {
      const { library } = emitter.runtime;
      library.call('dnnl_post_ops_append_sum', postOps, 1, 0, 0);
      library.call('dnnl_post_ops_append_binary', postOps, algorithm.add, row.handle);
    }),
  );
  const reads = [
    [arg.source, x],
    [arg.source1, factor],
    [arg.postOpSource1(1), constant],
  ] as const;
  emitter.emit(name, descriptor, reads, [[arg.destination, result]]);
}

function globalFlags({ relu }: Attributes): number {
  return normFlags.globalStatistics | normFlags.scale | normFlags.shift | (relu ? normFlags.relu : 0);
}

function forward(emitter: Emitter, name: string, x: Tensor, { epsilon }: Attributes, flags: number): Handle {
  return emitter.primitive(
    name,
    'dnnl_batch_normalization_forward_primitive_desc_create',
    emitter.runtime.engine,
    prop.training,
    x.descriptor.handle,
    x.descriptor.handle,
    epsilon,
    flags,
    emitter.attributes(),
  );
}

function backward(emitter: Emitter, name: string, x: Tensor, attributes: Attributes): Handle {
  const { handle } = x.descriptor;
  const flags = globalFlags(attributes);
  return emitter.primitive(
    name,
    'dnnl_batch_normalization_backward_primitive_desc_create',
    emitter.runtime.engine,
    prop.backward,
    ...([handle, handle, handle] as const),
    attributes.epsilon,
    flags,
    forward(emitter, name, x, attributes, flags),
    emitter.attributes(),
  );
}

/** Whether a batch norm takes its statistics over the pictures of several replicas. */
export function isSynchronized({ attributes }: { readonly attributes: Attributes }): boolean {
  return (attributes.replicas ?? 1) > 1;
}
