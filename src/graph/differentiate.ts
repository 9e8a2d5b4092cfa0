import type { Graph, Node, Value } from './graph.js';
import { add } from './ops/add.js';
import { fill } from './ops/fill.js';

export interface DifferentiateOptions {
  /** The number whose gradient is wanted (shape [1]), or any value where `seed` is given. */
  loss: Value;
  /** Gradient of the loss itself; one by default. A scaled loss passes its scale here. */
  seed?: Value;
  /** Values whose gradients are wanted beside the parameters'. */
  inputs?: readonly Value[];
}

/**
 * Reverse-mode differentiation of a whole graph (Griewank & Walther 2008, section 3.2): appends the nodes that
 * compute the gradients, so that nothing is recorded at run time.
 * @returns the gradient of every parameter (and of `inputs`) that the loss depends on
 */
export function differentiate(graph: Graph, options: DifferentiateOptions): Map<Value, Value> {
  const { loss, inputs = [] } = options;
  const wanted = new Set<Value>([...graph.values('parameter'), ...inputs]);
  const forward = [...graph.nodes];
  const dependent = dependents(forward, wanted);
  const gradients = new Map<Value, Value>();
  gradients.set(
    loss,
    options.seed ?? graph.apply1(fill, { shape: loss.shape, value: 1 }, [], 'lossGradient'),
  );

  for (const node of forward.reverse()) {
    const outputGradients = node.outputs.map((output) => gradients.get(output));
    if (!node.operation.gradient || outputGradients.every((gradient) => gradient === undefined)) continue;
    const contributions = node.operation.gradient({
      graph,
      name: node.name,
      attributes: node.attributes,
      inputs: node.inputs,
      outputs: node.outputs,
      outputGradients,
      needs: (index) => isIn(dependent, node.inputs[index]),
    });
    node.inputs.forEach((input, index) => {
      const contribution = contributions[index];
      if (!contribution || !dependent.has(input)) return;
      const before = gradients.get(input);
      gradients.set(
        input,
        before ? graph.apply1(add, {}, [before, contribution], `${input.name}.gradientSum`) : contribution,
      );
    });
  }
  return new Map([...gradients].filter(([value]) => wanted.has(value)));
}

function dependents(nodes: readonly Node[], wanted: ReadonlySet<Value>): Set<Value> {
  const dependent = new Set(wanted);
  for (const node of nodes) {
    if (node.inputs.some((input) => dependent.has(input))) {
      for (const output of node.outputs) dependent.add(output);
    }
  }
  return dependent;
}

function isIn(set: ReadonlySet<Value>, value: Value | undefined): boolean {
  return value !== undefined && set.has(value);
}
