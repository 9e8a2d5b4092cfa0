import { afterAll, beforeAll, describe } from 'vitest';
import { precisionConformance } from '../conformance/precision.js';
import type { Engine } from '../engine.js';
import { engines } from '../registry.js';
import { hasTorch } from './testing/available.js';

describe.skipIf(!hasTorch)('torch (skipped where there is no LibTorch, see scripts/libtorch.mjs)', () => {
  let engine: Engine | undefined;
  beforeAll(async () => {
    engine = await engines.torch({ threads: 1 });
  });
  afterAll(() => engine?.close());
  const get = (): Engine => {
    if (!engine) throw new Error('the engine did not start');
    return engine;
  };
  precisionConformance(get, 'bf16');
  precisionConformance(get, 'fp16');
});
