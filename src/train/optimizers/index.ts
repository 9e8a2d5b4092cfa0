import type { z } from 'zod';
import type { OptimizerSlot } from '../../engines/engine.js';
import { UserError } from '../../errors.js';
import type { Graph, Value } from '../../graph/graph.js';
import { didYouMean, readOptions } from '../../read-options.js';
import { adam, adamw } from './adam.js';
import type { Moment, OptimizerDefinition, ParameterGradient, Scalars } from './optimizer.js';
import { sgd } from './sgd.js';

const definitions = [sgd, adam, adamw] as unknown as readonly OptimizerDefinition<CommonSettings>[];

/** Settings that every optimizer has. */
type CommonSettings = z.ZodObject<{
  weightDecay: z.ZodDefault<z.ZodNumber>;
  noDecay: z.ZodDefault<z.ZodBoolean>;
}>;

/** An optimizer with its settings, plain JSON; what is left out has the optimizer's default. */
export interface OptimizerSpec {
  /** `sgd`, `adam` or `adamw`. */
  readonly kind: string;
  readonly [setting: string]: unknown;
}

/** Inputs of the graph with the weight decay, and with the decay of what `noDecay` spares. */
const decayInput = 'weightDecay';
const sparedInput = 'sparedWeightDecay';

/** An optimizer with checked settings. */
export class Optimizer {
  /** All settings, to be kept. */
  readonly spec: OptimizerSpec;
  readonly #definition: OptimizerDefinition<CommonSettings>;
  readonly #settings: z.output<CommonSettings>;

  /** @throws UserError for an unknown kind or setting (with the nearest known), or one out of range */
  constructor({ kind, ...given }: OptimizerSpec) {
    const definition = definitions.find((each) => each.kind === kind);
    if (!definition) {
      throw new UserError(`there is no optimizer '${kind}'`, {
        hint: `${didYouMean(kind, optimizerKinds())}known optimizers: ${optimizerKinds().join(', ')}`,
      });
    }
    this.#definition = definition;
    this.#settings = readOptions(`optimizer '${kind}'`, definition.settings, given);
    this.spec = { kind, ...this.#settings };
  }

  get slots(): readonly OptimizerSlot[] {
    return this.#definition.slots;
  }

  get defaultLearningRate(): number {
    return this.#definition.defaultLearningRate;
  }

  /** Whether a schedule may change its momentum, or beta1, from step to step. */
  get cyclesMomentum(): boolean {
    return 'momentum' in this.#settings || 'beta1' in this.#settings;
  }

  /**
   * Appends the update to a graph with gradients: one node, or with `noDecay` a second one for biases and
   * norms. Their hyper-parameters become inputs of shape [1].
   */
  append(graph: Graph, pairs: readonly ParameterGradient[]): void {
    const { noDecay } = this.#settings;
    const inputs = new Map<string, Value>();
    const input = (name: string): Value => {
      const value = inputs.get(name) ?? graph.input(name, [1]);
      inputs.set(name, value);
      return value;
    };
    const add = (name: string, group: readonly ParameterGradient[], decay: string): void => {
      if (!group.length) return;
      const options = { settings: this.#settings, name, weightDecay: input(decay), input };
      this.#definition.append(graph, group, options);
    };
    add('optimizer', noDecay ? pairs.filter(([parameter]) => parameter.decays) : pairs, decayInput);
    if (noDecay)
      add(
        'optimizer.spared',
        pairs.filter(([parameter]) => !parameter.decays),
        sparedInput,
      );
  }

  /** The numbers that the inputs of {@link append} take in one step. */
  scalars(moment: Moment): Scalars {
    const { weightDecay, noDecay } = this.#settings;
    const decay = noDecay ? { [decayInput]: weightDecay, [sparedInput]: 0 } : { [decayInput]: weightDecay };
    return { ...this.#definition.scalars(this.#settings, moment), ...decay };
  }
}

export function optimizerKinds(): string[] {
  return definitions.map(({ kind }) => kind);
}
