import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MistakesExtra } from '../../src/report/tensorboard/mistakes/mistakes-extra.js';
import { epochResult, ToldRun } from '../../src/report/tensorboard/testing/told-run.js';
import { run, scratch, writePictures } from '../e2e/tool.js';
import { type Found, missing, Reader } from './reader.js';

const { path, remove } = scratch();
afterAll(remove);

if (missing !== undefined && process.env.CI) throw new Error(missing);

/** Opens a folder, reads once, and closes it. */
async function readOnce(...at: Parameters<Reader['read']>): Promise<Array<[backend: string, found: Found]>> {
  const reader = new Reader(path('runs'));
  try {
    return Object.entries(await reader.read(...at));
  } finally {
    reader.close();
  }
}

describe.skipIf(missing)(`TensorBoard itself${missing === undefined ? '' : ` (${missing})`}`, () => {
  describe('of a training', () => {
    let found: Array<[string, Found]>;
    const train = (...more: string[]): ReturnType<typeof run> =>
      run(
        ...['train', '--data', path('data'), '--project', 'real', '--run-dir', path('runs')],
        ...['--stages', '32x1,64x1', '--crop', '32', '--batch-size', '8', '--threads', '1', '--lr', '0.02'],
        ...more,
      );
    let history: Array<Record<string, number>>;

    beforeAll(async () => {
      await writePictures(path('pictures'), ['cat', 'dog', 'emu'], 20);
      await run('preprocess', path('pictures'), '--out', path('data'), '--size', '40');
      await train('--epochs', '2', '--histograms');
      const { status, stdout, stderr } = await train('--epochs', '3', '--json');
      expect(status, stderr).toBe(0);
      history = JSON.parse(stdout).history;
      found = await readOnce('real/tensorboard', 'Top-5', 3);
    });

    it('is read by the loader in Python and by the data server', () => {
      expect(found.map(([backend]) => backend)).toContain('python');
      for (const [, each] of found) expect(each).toEqual(found[0]?.[1]);
    });

    it('shows each figure of each epoch once', () => {
      const { scalars } = found[0]?.[1] ?? {};
      const curve = (key: string): Array<[number, number]> =>
        history.map((result) => [result.epoch ?? 0, Math.fround(result[key] ?? 0)]);
      expect(scalars).toMatchObject({
        'real/tensorboard/Loss_train': { Loss: curve('loss') },
        'real/tensorboard/Loss_val': { Loss: curve('valLoss') },
        'real/tensorboard/Accuracy_train': { Accuracy: curve('trainAccuracy') },
        'real/tensorboard/Accuracy_val': { Accuracy: curve('valAccuracy') },
        'real/tensorboard': { 'Top-5': curve('valTop5'), 'Learning Rate': curve('learningRate') },
      });
      const speed = scalars?.['real/tensorboard']?.['Pictures per Second'] ?? [];
      expect(speed.map(([step]) => step)).toEqual([1, 2, 3]);
    });

    it('shows the settings as text', () => {
      const [text] = found[0]?.[1].texts['real/tensorboard']?.['config/text_summary'] ?? [];
      expect(text).toContain('| optimizer.kind | `sgd` |');
      // those of the last process
      expect(text).toContain('| epochs | `3` |');
    });

    it('lists the training among the HParams, with its last figures', () => {
      const sessions = found[0]?.[1].sessions ?? [];
      expect(sessions).toHaveLength(1);
      expect(sessions[0]).toMatchObject({
        name: 'real/tensorboard',
        // success
        status: 1,
        hparams: { model: 'resnet-32x1-64x1', learningRate: 0.02, 'optimizer.kind': 'sgd', flip: true },
      });
      const accuracy = Math.fround(history.at(-1)?.valAccuracy ?? -1);
      expect(sessions[0]?.metrics['Accuracy_val.Accuracy']).toEqual([3, accuracy]);
    });

    it('shows histograms of all weights, and of their gradients', () => {
      const histograms = found[0]?.[1].histograms['real/tensorboard'] ?? {};
      const counts = [1, 2, 3].map((epoch) => [epoch, 64 * 3]);
      expect(histograms['weights/head.fc.weight']).toEqual(counts);
      expect(histograms['gradients/head.fc.weight']).toEqual(counts);
      const names = (group: string): string[] =>
        Object.keys(histograms).flatMap((tag) =>
          tag.startsWith(`${group}/`) ? tag.slice(group.length + 1) : [],
        );
      expect(names('weights').sort()).toEqual(names('gradients').sort());
      expect(names('weights').filter((name) => !/(weight|bias)$/.test(name))).toEqual([]);
    });

    it('has the model as a graph with shapes on its edges', () => {
      const graph = found[0]?.[1].graphs['real/tensorboard'] ?? [];
      const nodes = new Map(graph.map((node) => [node.name, node]));
      expect(nodes.get('stages.1/blocks.0/add')?.shapes).toEqual([[-1, 64, 4, 4]]);
      expect(nodes.get('logits')).toMatchObject({ input: ['head/fc'], shapes: [[-1, 3]] });
      for (const { input } of graph) for (const name of input) expect(nodes.has(name)).toBe(true);
    });
  });

  it('shows a page of mistakes of each epoch that was the best', async () => {
    const count = 3;
    const told = new ToldRun(path('runs', 'wrong', 'tensorboard'), {
      extras: [
        new MistakesExtra({
          source: { folder: path('data'), samples: [] },
          classes: ['cat', 'dog', 'emu'],
          count,
        }),
      ],
    });
    for (const epoch of [1, 2, 3]) {
      told
        .pictures({ file: 'gone.jpg', label: 0, top: [{ id: 1, probability: 0.7 }] })
        .epoch(epochResult(epoch))
        .save(epoch, { best: epoch !== 2 });
    }
    await told.written();
    for (const [, { images }] of await readOnce('wrong/tensorboard', 'Top-5', 3)) {
      const pages = images['wrong/tensorboard']?.Mistakes ?? [];
      expect(pages.map(([step, sizes]) => [step, sizes.length])).toEqual([
        [1, 1],
        [3, 1],
      ]);
      for (const [, [bytes]] of pages) expect(bytes).toBeGreaterThan(100);
    }
  });

  describe('that is open while a training goes on from an earlier epoch', () => {
    const before = [1, 2, 3, 4, 5].map((epoch) => epochResult(epoch));
    const expected = [1, 2, 3, 40, 50, 60].map((loss, index) => [index + 1, loss]);

    it('forgets the points after that epoch, and shows none twice', async () => {
      const folder = path('runs', 'told', 'tensorboard');
      await new ToldRun(folder).epochs(before);
      const reader = new Reader(path('runs'));
      try {
        const at = ['told/tensorboard/Loss_train', 'Loss'] as const;
        for (const { scalars } of Object.values(await reader.read(...at, 5))) {
          expect(scalars[at[0]]).toEqual({ Loss: before.map(({ epoch, loss }) => [epoch, loss]) });
        }
        const again = new ToldRun(folder, { resumed: { epoch: 3, history: before.slice(0, 3) } });
        await again.epochs([4, 5, 6].map((epoch) => epochResult(epoch, 10 * epoch)));
        for (const { scalars } of Object.values(await reader.read(...at, 6))) {
          expect(scalars[at[0]]).toEqual({ Loss: expected });
          expect(scalars['told/tensorboard']?.['Top-5']).toHaveLength(6);
        }
      } finally {
        reader.close();
      }
    });

    it('shows the same when it is opened after', async () => {
      for (const [, { scalars }] of await readOnce('told/tensorboard/Loss_train', 'Loss', 6)) {
        expect(scalars['told/tensorboard/Loss_train']).toEqual({ Loss: expected });
      }
    });
  });
});
