import { afterEach, describe, expect, it } from 'vitest';
import { Graph } from '../../graph/graph.js';
import { initialValues } from '../../graph/initialize.js';
import { add } from '../../graph/ops/add.js';
import { relu } from '../../graph/ops/relu.js';
import { EngineError, type EngineState } from '../engine.js';
import { createTorchEngine, type TorchEngine } from './engine.js';
import { hasTorch } from './testing/available.js';
import { smallTraining } from './testing/small-training.js';

const engines: TorchEngine[] = [];

async function start(): Promise<TorchEngine> {
  const engine = await createTorchEngine({ threads: 1 });
  engines.push(engine);
  return engine;
}

afterEach(() => {
  for (const engine of engines.splice(0)) engine.close();
});

function initialise(graph: Graph, state: EngineState): void {
  for (const [name, values] of initialValues(graph, 7)) state.write(name, values);
}

describe.skipIf(!hasTorch)(
  'torch engine (skipped where there is no LibTorch, see scripts/libtorch.mjs)',
  () => {
    it('closes every handle, and holds none more after 10,000 steps', async () => {
      const engine = await start();
      const state = engine.createState();
      const { graph, inputs } = smallTraining();
      const program = engine.compile(graph, { state });
      initialise(graph, state);
      const run = (steps: number): void => {
        for (let step = 0; step < steps; step++) program.run(inputs);
      };
      run(1000);
      const [handles, memory] = [engine.torch.live, process.memoryUsage.rss()];
      run(9000);
      expect(engine.torch.live).toBe(handles);
      expect(process.memoryUsage.rss() - memory).toBeLessThan(20 * 2 ** 20);
      expect(Number.isFinite(program.read('loss')[0])).toBe(true);
      program.close();
      state.close();
      expect(engine.torch.live).toBe(0);
    }, 300_000);

    it('repeats itself to the bit', async () => {
      const engine = await start();
      const { graph, inputs } = smallTraining();
      const runs = [0, 1].map(() => {
        const state = engine.createState();
        const program = engine.compile(graph, { state });
        initialise(graph, state);
        for (let step = 0; step < 20; step++) program.run(inputs);
        return [...state.values.keys()].map((name) => state.read(name));
      });
      expect(runs[1]).toEqual(runs[0]);
    });

    it('leaves parameters and momentum alone without the update, and has the gradients', async () => {
      const engine = await start();
      const state = engine.createState();
      const { graph, inputs } = smallTraining();
      const program = engine.compile(graph, { state });
      initialise(graph, state);
      const name = 'head.fc.weight';
      const before = state.read(name);
      program.run(inputs, { update: false });
      expect(state.read(name)).toEqual(before);
      expect(state.read(name, 'momentum').every((number) => number === 0)).toBe(true);
      expect(state.read(name, 'gradient').some((number) => number !== 0)).toBe(true);
      program.run(inputs);
      expect(state.read(name)).not.toEqual(before);
    });

    it('says which operation failed, on which shapes, in the words of LibTorch', async () => {
      const engine = await start();
      const { torch } = engine;
      // a shape rule that lets through what LibTorch will not
      const state = engine.createState();
      const wrong = new Graph();
      const a = wrong.input('a', [2, 3]);
      const b = wrong.input('b', [2, 4]);
      const broken = { ...add, infer: () => [{ shape: [2, 3], dtype: 'f32' as const }] };
      wrong.output('y', wrong.apply1(broken, {}, [a, b], 'sum'));
      const program = engine.compile(wrong, { state });
      const live = torch.live;
      const run = (): void => program.run({ a: new Float32Array(6), b: new Float32Array(8) });
      expect(run).toThrow(EngineError);
      expect(run).toThrow(/^add 'sum' \(2x3, 2x4 -> 2x3\): .*(size|shape)/);
      expect(torch.live).toBe(live);
    });

    it('says what is wrong with inputs and outputs', async () => {
      const engine = await start();
      const graph = new Graph();
      graph.output('y', graph.apply1(relu, {}, [graph.input('x', [2, 3])], 'layer'));
      const program = engine.compile(graph, { state: engine.createState() });
      expect(() => program.run({})).toThrow("needs the input 'x'");
      expect(() => program.run({ x: new Float32Array(5) })).toThrow('takes 6 numbers (2x3), got 5');
      expect(() => program.read('y')).toThrow('has not run');
      program.run({ x: Float32Array.of(-1, 2, -3, 4, -5, 6) });
      expect([...program.read('y')]).toEqual([0, 2, 0, 4, 0, 6]);
      expect(() => program.read('z')).toThrow("no output 'z'; it has y");
      program.close();
      expect(() => program.run({ x: new Float32Array(6) })).toThrow('closed');
    });

    it('refuses a device that is not there or that nobody knows', async () => {
      await expect(createTorchEngine({ device: 'cuda:77' })).rejects.toThrow(
        /cuda|GPU|built for the CPU only/i,
      );
      await expect(createTorchEngine({ device: 'toaster' })).rejects.toThrow("'toaster' is no device");
    });
  },
);
