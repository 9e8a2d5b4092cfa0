import { elements, type Graph, type Value } from '../graph/graph.js';
import { EngineError } from './engine.js';

/**
 * The parameters and statistics of a graph that a state does not hold yet, in the order of its flat buffers: parameters
 * that decay come first, so that an optimizer can treat each group as one range.
 * @param known what the state holds
 * @param complete whether its buffers are laid out, so that it takes no more
 * @throws EngineError the graph belongs to another model than the state
 */
export function newValues(graph: Graph, known: ReadonlyMap<string, Value>, complete: boolean): Value[] {
  const parameters = graph.values('parameter');
  const ordered = [
    ...parameters.filter((value) => value.decays),
    ...parameters.filter((value) => !value.decays),
    ...graph.values('statistic'),
  ];
  return ordered.filter((value) => {
    const before = known.get(value.name);
    if (before && elements(before) !== elements(value)) {
      throw new EngineError(
        `'${value.name}' has ${elements(value)} elements here and ${elements(before)} in the state`,
      );
    }
    if (!before && complete) {
      throw new EngineError(`'${value.name}' is not in the state that this graph is compiled on`);
    }
    return !before;
  });
}
