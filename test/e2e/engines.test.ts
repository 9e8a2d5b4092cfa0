import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasTorch } from '../../src/engines/torch/testing/available.js';
import { readCheckpoint } from '../../src/train/checkpoint.js';
import { RunFolder } from '../../src/train/run-folder.js';
import { run, scratch, writePictures } from './tool.js';

const { path, remove } = scratch();

interface Curves {
  readonly history: ReadonlyArray<{ readonly loss: number; readonly valLoss: number }>;
}

async function train(project: string, ...args: string[]): Promise<Curves> {
  const { status, stdout, stderr } = await run(
    ...['train', '--data', path('data'), '--project', project, '--run-dir', path('runs'), '--json'],
    ...['--model', 'cifar-resnet20', '--crop', '28', '--batch-size', '16', '--lr', '0.002'],
    ...['--threads', '1', '--workers', '1', '--no-tensorboard', ...args],
  );
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Curves;
}

/** Largest relative difference of the losses of two runs, training and validation. */
function distance(a: Curves, b: Curves): number {
  const losses = ({ history }: Curves): number[] => history.flatMap(({ loss, valLoss }) => [loss, valLoss]);
  const other = losses(b);
  return Math.max(...losses(a).map((loss, index) => Math.abs(loss - (other[index] ?? Number.NaN)) / loss));
}

describe.skipIf(!hasTorch)(
  'two engines (skipped where there is no LibTorch, see scripts/libtorch.mjs)',
  () => {
    beforeAll(async () => {
      await writePictures(path('pictures'), ['aster', 'birch', 'clover'], 40);
      const prepared = await run('preprocess', path('pictures'), '--out', path('data'), '--size', '32');
      expect(prepared.status, prepared.stderr).toBe(0);
    });
    afterAll(remove);

    it('train alike: three epochs from the same weights and batches lie closer than two seeds', async () => {
      const onednn = await train('onednn', '--engine', 'onednn', '--epochs', '3');
      const torch = await train('torch', '--engine', 'torch', '--device', 'cpu', '--epochs', '3');
      const seed = await train('seed', '--engine', 'onednn', '--epochs', '3', '--seed', '1');
      const [engines, seeds] = [distance(onednn, torch), distance(onednn, seed)];
      console.log(
        `losses of two engines differ by ${engines.toExponential(1)}, of two seeds by ${seeds.toExponential(1)}`,
      );
      expect(engines).toBeLessThan(seeds / 2);
      expect(engines).toBeGreaterThan(0);
      const last = await new RunFolder({ runDir: path('runs'), project: 'torch' }).marked('last');
      expect((await readCheckpoint(last ?? '')).info.engine).toBe('torch');
    });

    it('hand runs over to each other, and measure the same', async () => {
      const handed = await train('torch', '--engine', 'onednn', '--epochs', '4');
      expect(handed.history).toHaveLength(4);
      const [onednn, torch] = await Promise.all(
        ['onednn', 'torch'].map(async (engine) => {
          const { status, stdout, stderr } = await run(
            ...['test', '--project', 'torch', '--run-dir', path('runs'), '--engine', engine, '--json'],
          );
          expect(status, stderr).toBe(0);
          return JSON.parse(stdout) as { top1: number; loss: number };
        }),
      );
      expect(torch?.loss).toBeCloseTo(onednn?.loss ?? Number.NaN, 4);
      expect(torch?.top1).toBe(onednn?.top1);
    });

    it('refuse what does not go together, without a stack', async () => {
      const wrong = await run(
        'train',
        '--data',
        path('data'),
        '--project',
        'x',
        '--engine',
        'onednn',
        '--device',
        'cuda:0',
      );
      expect(wrong.status).toBe(1);
      expect(wrong.stderr).toContain('the engine onednn runs on the CPU alone, not on cuda:0');
      expect(wrong.stderr).not.toContain('    at ');
    });
  },
);
