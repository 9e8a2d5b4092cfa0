import { afterAll, beforeAll, describe } from 'vitest';
import { precisionConformance } from '../conformance/precision.js';
import type { Engine } from '../engine.js';
import { enginePrecisions } from '../precisions.js';
import { engines } from '../registry.js';

const { bf16 } = (await enginePrecisions.onednn({})).abilities;
const why = bf16.supported ? '' : ` (skipped: ${bf16.reason})`;

describe.skipIf(!bf16.supported)(`oneDNN in bf16${why}`, () => {
  let engine: Engine | undefined;
  beforeAll(async () => {
    engine = await engines.onednn({ threads: 1 });
  });
  afterAll(() => engine?.close());
  precisionConformance(() => {
    if (!engine) throw new Error('the engine did not start');
    return engine;
  }, 'bf16');
});
