import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasTorch } from '../../src/engines/torch/testing/available.js';
import { type Checkpoint, readCheckpoint } from '../../src/train/checkpoint.js';
import { RunFolder } from '../../src/train/run-folder.js';
import { run, scratch, start, writePictures } from './tool.js';

const { path, remove } = scratch();

interface Curves {
  readonly history: ReadonlyArray<{ readonly loss: number; readonly valLoss: number }>;
}

async function train(project: string, ...args: string[]): Promise<Curves> {
  const words = [
    ...['train', '--data', path('data'), '--project', project, '--run-dir', path('runs'), '--json'],
    ...['--model', 'cifar-resnet20', '--crop', '28', '--batch-size', '16', '--lr', '0.002'],
    ...['--threads', '1', '--workers', '1', '--no-tensorboard', '--precision', 'fp32', ...args],
  ];
  // with AVX-512 FP16, PyTorch's gradients of fp16 weights run in a reference loop
  const environment = args.includes('fp16') ? { ONEDNN_MAX_CPU_ISA: 'AVX512_CORE_BF16' } : {};
  const { status, stdout, stderr } = await start(words, environment).outcome;
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

    it('take replicas, half precision, micro-batches and clipping all at once', async () => {
      const many = ['--engine', 'torch', '--devices', 'cpu:2', '--accumulate', '2', '--clip-norm', '5'];
      const plain = await train('full', '--engine', 'torch', '--epochs', '2', '--seed', '2');
      for (const precision of ['bf16', 'fp16']) {
        const sync = [...many, '--sync-batch-norm', '--precision', precision];
        const half = await train(precision, ...sync, '--epochs', '2', '--seed', '2');
        expect(half.history).toHaveLength(2);
        // other batch norms, in micro-batches: alike, not the same
        for (const [epoch, { loss }] of plain.history.entries()) {
          expect(Math.abs((half.history[epoch]?.loss ?? Number.NaN) - loss) / loss, precision).toBeLessThan(
            0.15,
          );
        }
      }
    });

    it('go on in another precision, and with the scale of the loss that was reached', async () => {
      const last = async (): Promise<Checkpoint> =>
        readCheckpoint((await new RunFolder({ runDir: path('runs'), project: 'fp16' }).marked('last')) ?? '');
      const before = (await last()).info.lossScaler;
      expect(before?.scale).toBeGreaterThan(0);
      await train('fp16', '--epochs', '3', '--devices', 'cpu', '--precision', 'fp16');
      const after = (await last()).info.lossScaler;
      expect((after?.skipped ?? 0) - (before?.skipped ?? 0)).toBeGreaterThanOrEqual(0);
      const changed = await train('fp16', '--epochs', '4', '--precision', 'fp32', '--engine', 'onednn');
      expect(changed.history).toHaveLength(4);
      const [, , third, fourth] = changed.history;
      expect(fourth?.loss).toBeLessThan(2 * (third?.loss ?? 0));
      expect((await last()).info.lossScaler).toEqual(after);
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
