import { Graph, type Node, type Value } from './graph.js';
import { isNode } from './ops/index.js';

/**
 * Moves each `beginAllReduce` to the place behind the last of its gradients, so that the sum goes on beside the rest
 * of the backward pass.
 */
export function overlap(graph: Graph): Graph {
  const rest = graph.nodes.filter((node) => !isNode(node, 'beginAllReduce'));
  const begins = graph.nodes.filter((node) => isNode(node, 'beginAllReduce'));
  if (begins.length === 0) return graph;
  const madeAt = new Map<Value, number>();
  rest.forEach((node, index) => {
    for (const output of node.outputs) madeAt.set(output, index);
  });
  const behind = new Map<number, Node[]>();
  for (const begin of begins) {
    const at = Math.max(...begin.inputs.map((value) => madeAt.get(value) ?? 0));
    behind.set(at, [...(behind.get(at) ?? []), begin]);
  }
  const result = new Graph();
  result.adoptDeclarations(graph);
  const update = graph.nodes[graph.updateStart];
  rest.forEach((node, index) => {
    if (node === update) result.beginUpdate();
    for (const each of [node, ...(behind.get(index) ?? [])]) result.adopt(each);
  });
  return result;
}
