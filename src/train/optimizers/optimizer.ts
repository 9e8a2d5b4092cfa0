import type { z } from 'zod';
import type { OptimizerSlot } from '../../engines/engine.js';
import type { Graph, Value } from '../../graph/graph.js';

/** A learned value with the gradient of the loss. */
export type ParameterGradient = readonly [parameter: Value, gradient: Value];

/** Where the run is, for numbers that change from step to step. */
export interface Moment {
  readonly learningRate: number;
  /** That a schedule wants, the beta1 of Adam; absent or NaN: the optimizer's own. */
  readonly momentum?: number;
  /** Number of the update within the whole run, from 1. */
  readonly update: number;
}

/** Names of graph inputs and the one number that each takes. */
export type Scalars = Readonly<Record<string, number>>;

/** A rule of update: one file of this folder and one line of registry in index.ts. */
export interface OptimizerDefinition<Schema extends z.ZodObject = z.ZodObject> {
  readonly kind: string;
  /** Its settings, each with a default. */
  readonly settings: Schema;
  readonly defaultLearningRate: number;
  /** What it keeps for each parameter. */
  readonly slots: readonly OptimizerSlot[];
  /**
   * Appends its node with the inputs that {@link scalars} fills.
   * @param name of the node
   * @param weightDecay the input with the decay of these parameters
   */
  append(
    graph: Graph,
    pairs: readonly ParameterGradient[],
    options: { settings: z.output<Schema>; name: string; weightDecay: Value; input: (name: string) => Value },
  ): void;
  /** The numbers of one step, without the weight decay. */
  scalars(settings: z.output<Schema>, moment: Moment): Scalars;
}

export function defineOptimizer<Schema extends z.ZodObject>(
  definition: OptimizerDefinition<Schema>,
): OptimizerDefinition<Schema> {
  return definition;
}
