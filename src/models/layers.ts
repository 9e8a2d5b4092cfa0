import type { Graph, Initializer, Value } from '../graph/graph.js';
import { elements, nchw, shapeError } from '../graph/graph.js';
import { add } from '../graph/ops/add.js';
import { batchNorm, batchNormInference, updateStatistics } from '../graph/ops/batch-norm.js';
import { conv2d } from '../graph/ops/conv2d.js';
import { dropout } from '../graph/ops/dropout.js';
import { flatten } from '../graph/ops/flatten.js';
import { linear } from '../graph/ops/linear.js';
import { avgPool, globalAvgPool, maxPool } from '../graph/ops/pool.js';
import { prelu } from '../graph/ops/prelu.js';
import { relu } from '../graph/ops/relu.js';
import type { Pair } from '../graph/ops/window.js';

/**
 * How convolution weights get their first values:
 * - `xavier`: normal, variance 2 / (fan in + fan out) (Glorot & Bengio 2010, eq. 12)
 * - `kaiming`: normal, variance 2 / fan out (He et al. 2015, eq. 14)
 */
export type Initialization = 'xavier' | 'kaiming';

export interface LayersOptions {
  /** Batch statistics, dropout and notes for the backward pass; or running statistics and none of it. */
  training: boolean;
  initialization?: Initialization;
  batchNorm?: { momentum?: number; epsilon?: number };
  /** Whether dropout layers drop; off for comparisons with another framework's numbers. */
  dropout?: boolean;
  /** Replicas over whose pictures batch norms take their statistics. Default 1: each has its own. */
  replicas?: number;
}

type Extent = number | Pair;

export interface ConvOptions {
  out: number;
  kernel: Extent;
  stride?: Extent;
  padding?: Extent;
  dilation?: Extent;
  groups?: number;
  bias?: boolean;
}

export interface PoolOptions {
  kernel: Extent;
  stride: Extent;
  padding?: Extent;
}

interface Tracked {
  statistics: [runningMean: Value, runningVariance: Value, mean: Value, variance: Value];
  count: number;
}

/** Appends layers with their parameters to a graph; the words that the models are written in. */
export class Layers {
  readonly #options: Required<LayersOptions> & { batchNorm: { momentum: number; epsilon: number } };
  readonly #tracked: Tracked[] = [];
  #dropouts = 0;
  #random: { seed: Value; step: Value } | undefined;

  constructor(
    readonly graph: Graph,
    options: LayersOptions,
  ) {
    this.#options = {
      initialization: 'xavier',
      dropout: true,
      replicas: 1,
      ...options,
      batchNorm: { momentum: 0.1, epsilon: 1e-5, ...options.batchNorm },
    };
  }

  /** Runs `build` inside a module; see {@link Graph.scope}. */
  scope<T>(name: string, type: string, build: () => T): T {
    return this.graph.scope(name, type, build);
  }

  conv(name: string, x: Value, options: ConvOptions): Value {
    const { graph } = this;
    const [, channels] = nchw(x, graph.path(name));
    const kernel = pair(options.kernel);
    const groups = options.groups ?? 1;
    const shape = [options.out, channels / groups, ...kernel];
    const weight = graph.parameter(`${name}.weight`, shape, this.#convInitializer(shape), true);
    const inputs = [x, weight];
    if (options.bias) inputs.push(graph.parameter(`${name}.bias`, [options.out], zero, false));
    const attributes = {
      stride: pair(options.stride ?? 1),
      padding: pair(options.padding ?? 0),
      dilation: pair(options.dilation ?? 1),
      groups,
    };
    return graph.apply1(conv2d, attributes, inputs, name);
  }

  /** Of pictures NxCxHxW or vectors NxC. */
  batchNorm(name: string, x: Value): Value {
    const { graph } = this;
    const [, channels = 1] = x.shape;
    const count = elements(x) / channels;
    const { epsilon } = this.#options.batchNorm;
    const scale = graph.parameter(`${name}.weight`, [channels], one, false);
    const shift = graph.parameter(`${name}.bias`, [channels], zero, false);
    const runningMean = graph.statistic(`${name}.running_mean`, [channels], 0);
    const runningVariance = graph.statistic(`${name}.running_var`, [channels], 1);
    if (!this.#options.training) {
      return graph.apply1(
        batchNormInference,
        { epsilon },
        [x, scale, shift, runningMean, runningVariance],
        name,
      );
    }
    if (count * this.#options.replicas < 2) {
      throw shapeError(
        graph.path(name),
        'batch norm has one value a channel in training',
        'use a larger batch or larger pictures',
      );
    }
    const { replicas } = this.#options;
    const attributes = replicas > 1 ? { epsilon, replicas } : { epsilon };
    const [y, mean, variance] = graph.apply(batchNorm, attributes, [x, scale, shift], name);
    if (!y || !mean || !variance) throw new Error('batchNorm lacks outputs');
    this.#tracked.push({
      statistics: [runningMean, runningVariance, mean, variance],
      count: count * replicas,
    });
    return y;
  }

  relu(name: string, x: Value): Value {
    return this.graph.apply1(relu, {}, [x], name);
  }

  /** One slope for all channels, 0.25 at first, as PyTorch's default. */
  prelu(name: string, x: Value): Value {
    const slope = this.graph.parameter(`${name}.weight`, [1], { kind: 'constant', value: 0.25 }, false);
    return this.graph.apply1(prelu, {}, [x, slope], name);
  }

  maxPool(name: string, x: Value, options: PoolOptions): Value {
    const { training } = this.#options;
    return this.graph.apply1(maxPool, { ...window(options), training }, [x], name);
  }

  avgPool(name: string, x: Value, options: PoolOptions & { countIncludePad?: boolean }): Value {
    const countIncludePad = options.countIncludePad ?? true;
    return this.graph.apply1(avgPool, { ...window(options), countIncludePad }, [x], name);
  }

  globalAvgPool(name: string, x: Value): Value {
    return this.graph.apply1(globalAvgPool, {}, [x], name);
  }

  flatten(name: string, x: Value): Value {
    return this.graph.apply1(flatten, {}, [x], name);
  }

  /** @param options.asConv keep the weight as OxIx1x1, as timm's heads do */
  linear(name: string, x: Value, options: { out: number; asConv?: boolean; std?: number }): Value {
    const { graph } = this;
    const features = elements(x) / (x.shape[0] ?? 1);
    const shape = options.asConv ? [options.out, features, 1, 1] : [options.out, features];
    const weight = graph.parameter(
      `${name}.weight`,
      shape,
      { kind: 'normal', std: options.std ?? 0.01 },
      true,
    );
    const bias = graph.parameter(`${name}.bias`, [options.out], zero, false);
    return graph.apply1(linear, {}, [x, weight, bias], name);
  }

  dropout(name: string, x: Value, p: number): Value {
    const { graph } = this;
    if (!this.#options.training || !this.#options.dropout || p === 0) return x;
    this.#random ??= { seed: graph.input('seed', [2], 'i32'), step: graph.input('step', [1], 'i32') };
    const attributes = { p, stream: this.#dropouts++ };
    return graph.apply1(dropout, attributes, [x, this.#random.seed, this.#random.step], name);
  }

  add(name: string, a: Value, b: Value): Value {
    return this.graph.apply1(add, {}, [a, b], name);
  }

  /** Appends the one node that moves all running statistics; call it once, when the network is complete. */
  updateStatistics(): void {
    if (!this.#tracked.length) return;
    const attributes = {
      momentum: this.#options.batchNorm.momentum,
      counts: this.#tracked.map(({ count }) => count),
    };
    const inputs = this.#tracked.flatMap(({ statistics }) => statistics);
    this.graph.apply(updateStatistics, attributes, inputs, 'updateStatistics');
  }

  #convInitializer([out = 1, perGroup = 1, height = 1, width = 1]: readonly number[]): Initializer {
    const fanIn = perGroup * height * width;
    const fanOut = out * height * width;
    const std =
      this.#options.initialization === 'xavier' ? Math.sqrt(2 / (fanIn + fanOut)) : Math.sqrt(2 / fanOut);
    return { kind: 'normal', std };
  }
}

const zero: Initializer = { kind: 'constant', value: 0 };
const one: Initializer = { kind: 'constant', value: 1 };

function pair(extent: Extent): Pair {
  return typeof extent === 'number' ? [extent, extent] : extent;
}

function window({ kernel, stride, padding = 0 }: PoolOptions): { kernel: Pair; stride: Pair; padding: Pair } {
  return { kernel: pair(kernel), stride: pair(stride), padding: pair(padding) };
}
