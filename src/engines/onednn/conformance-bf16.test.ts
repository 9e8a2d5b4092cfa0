import { afterAll, beforeAll, describe } from 'vitest';
import { precisionConformance } from '../conformance/precision.js';
import type { Engine } from '../engine.js';
import { enginePrecisions } from '../precisions.js';
import { engines } from '../registry.js';

const { bf16 } = (await enginePrecisions.onednn({})).abilities;
// written without such a CPU: not among the usual tests until it has run on one
const asked = process.env.RESNODE_TEST_BF16 === '1';
const reason = bf16.supported ? 'it never ran yet; RESNODE_TEST_BF16=1 runs it' : bf16.reason;
const runs = bf16.supported && asked;
const why = runs ? '' : ` (skipped: ${reason})`;

describe.skipIf(!runs)(`oneDNN in bf16${why}`, () => {
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
