import { describe, it } from 'vitest';
import type { Precision } from '../../train/precision/precision.js';
import type { Engine } from '../engine.js';
import { expectClose, type GoldenCase, readGolden } from './golden.js';
import { operationTolerances } from './half.js';
import { runOperation, tensor } from './single-operation.js';

const halfFiles = ['conv2d', 'batchNorm', 'activations', 'pooling', 'linear', 'elementwise'];
/** Autocast keeps losses in fp32. */
const files = [...halfFiles, 'losses'];

/** What rounded inputs change by more than their roundings; random-shapes.ts gives these inputs that need none. */
const beyondRounding: Partial<Record<string, readonly string[]>> = {
  // two values of a window that round to one have another winner
  maxPool: ['dx'],
  // 33 terms of about 1 that sum up to 0.24
  'batchNorm:train-33x1x1x1': ['dweight'],
};

/** Every operation, forward and backward, against PyTorch in double precision; in poison mode. */
export function operationConformance(engine: () => Engine, precision: Precision = 'fp32'): void {
  for (const file of precision === 'fp32' ? files : halfFiles) {
    describe(`${file} against PyTorch, in ${precision}`, () => {
      for (const golden of readGolden(`ops/${file}.safetensors`)) {
        it(golden.id, () => runCase(engine(), golden, precision));
      }
    });
  }
}

function runCase(engine: Engine, golden: GoldenCase, precision: Precision): void {
  const without = beyondRounding[golden.op] ?? beyondRounding[golden.id] ?? [];
  const given = precision === 'fp32' ? golden : { ...golden, without };
  runOperation(engine, given, {
    precision,
    check: (role, values, run) =>
      expectClose(`${role}, ${run}`, values, tensor(golden, role).data, operationTolerances[precision]),
  });
}
