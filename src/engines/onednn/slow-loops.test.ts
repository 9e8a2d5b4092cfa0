import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mergeLayers } from '../../config/layers.js';
import type { Graph } from '../../graph/graph.js';
import { createModel, defaultModel } from '../../models/index.js';
import type { Communicator } from '../../parallel/communicator.js';
import { recipes } from '../../recipes/index.js';
import { Optimizer } from '../../train/optimizers/index.js';
import { inferenceGraph, trainingGraph } from '../../train/training-graph.js';
import { enginePrecisions } from '../precisions.js';
import { compileGraph } from './compiler.js';
import { bindOneDnn } from './ffi.js';
import { activationLayout } from './layout.js';
import { findOrGetOneDnn } from './library/index.js';
import { Runtime } from './runtime.js';
import { OneDnnState } from './state.js';

let runtime: Runtime;
const { bf16 } = (await enginePrecisions.onednn({})).abilities;
const kinds = bf16.supported ? (['fp32', 'bf16'] as const) : (['fp32'] as const);

beforeAll(async () => {
  runtime = new Runtime(bindOneDnn((await findOrGetOneDnn({})).path));
});

afterAll(() => runtime.close());

const pair: Communicator = {
  ...{ rank: 0, size: 2 },
  allReduce: () => {},
  broadcast: () => {},
  barrier: () => {},
  close: () => {},
};

/** Steps of a program for which oneDNN has only its reference loops, which are many times slower. */
function slowSteps(graph: Graph): string[] {
  const state = new OneDnnState(runtime);
  const { steps, descriptors } = compileGraph(runtime, graph, state, pair);
  const slow = steps.flatMap((step) => {
    const made = step.kind === 'primitive' ? descriptors.implementation(step.descriptor) : '';
    return made.startsWith('ref') ? [`${step.name}: ${made}`] : [];
  });
  descriptors.close();
  state.close();
  return [...new Set(slow)];
}

describe('a network of a recipe', () => {
  const sizes = { batchSize: 2, height: 96, width: 96, classes: 100 };

  for (const { name, settings: config } of recipes) {
    const { settings } = mergeLayers([{ source: name, config }]);
    it(`computes nothing by a slow loop: ${name}`, (context) => {
      if (activationLayout(runtime.library.effectiveIsa(), false) === 'any')
        context.skip("the layout is oneDNN's own choice");
      const { model: spec = { name: defaultModel }, optimizer: given } = settings;
      const model = createModel(spec);
      const optimizer = new Optimizer({ kind: 'sgd', ...given });
      const ways = [
        {},
        { replicas: 2, syncBatchNorm: true, accumulate: 2, clipNorm: 1 },
        { replicas: 2, clipValue: 1 },
      ];
      for (const precision of kinds) {
        for (const way of ways) {
          const graph = trainingGraph(model, { ...sizes, optimizer, precision, ...way });
          expect(slowSteps(graph), precision).toEqual([]);
        }
        expect(slowSteps(inferenceGraph(model, { ...sizes, precision })), precision).toEqual([]);
      }
    });
  }
});
