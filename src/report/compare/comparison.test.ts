import { expect, it } from 'vitest';
import { madeHistory, madeInfo } from '../../../test/made-run.js';
import { comparisonMarkdown, comparisonRow, comparisonText } from './comparison.js';

const trained = comparisonRow({ name: 'a|b <i>', info: madeInfo(madeHistory(4)) });
const unvalidated = comparisonRow({
  name: 'x',
  info: madeInfo(
    madeHistory(1).map((result) => ({ ...result, valAccuracy: null, loss: null })),
    { best: null },
  ),
});
const fresh = comparisonRow({ name: 'fresh', info: madeInfo([]) });

it('has the figures of the last epoch, the best epoch and the median time', () => {
  const [, , , last] = madeHistory(4);
  expect(trained).toEqual({
    run: 'a|b <i>',
    architecture: 'resnet-32x1',
    epochs: 4,
    trainingLoss: last?.loss,
    validationAccuracy: last?.valAccuracy,
    trainingAccuracy: last?.trainAccuracy,
    bestEpoch: 4,
    bestAccuracy: 59.324,
    secondsPerEpoch: 51.5,
  });
  expect(comparisonRow({ name: 'x', info: madeInfo(madeHistory(3)) }).secondsPerEpoch).toBe(51);
});

it('prints the table, with dashes where there is nothing to say', () => {
  expect(comparisonText([trained, unvalidated, fresh])).toBe(
    `${[
      'Architecture  Epochs  Training Loss  Validation Accuracy  Training Accuracy  Best Epoch  Time per Epoch  Run',
      '────────────  ──────  ─────────────  ───────────────────  ─────────────────  ──────────  ──────────────  ───────',
      'resnet-32x1        4         2.1263               36.61%             54.41%  4 (59.32%)            52 s  a|b <i>',
      'resnet-32x1        1              –                    –              1.00%           –            50 s  x',
      'resnet-32x1        0              –                    –                  –           –               –  fresh',
    ].join('\n')}\n`,
  );
});

it('escapes what Markdown would take for its own', () => {
  const [header, rule, row] = comparisonMarkdown([trained]).split('\n');
  expect(header).toBe(
    '| Architecture | Epochs | Training Loss | Validation Accuracy | Training Accuracy | Best Epoch | Time per Epoch | Run |',
  );
  expect(rule).toBe('| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |');
  expect(row).toBe('| resnet-32x1 | 4 | 2.1263 | 36.61% | 54.41% | 4 (59.32%) | 52 s | a\\|b \\<i> |');
});
