import { describe } from 'vitest';
import { halfConformance } from '../conformance/index.js';
import { enginePrecisions } from '../precisions.js';
import { engines } from '../registry.js';

const { bf16 } = (await enginePrecisions.onednn({})).abilities;
// written without such a CPU: not among the usual tests until it has run on one
const asked = process.env.RESNODE_TEST_BF16 === '1';
const reason = bf16.supported ? 'it never ran yet; RESNODE_TEST_BF16=1 runs it' : bf16.reason;
const runs = bf16.supported && asked;
const why = runs ? '' : ` (skipped: ${reason})`;

describe.skipIf(!runs)(`oneDNN in bf16${why}`, () => {
  halfConformance(() => engines.onednn({ threads: 1 }), 'bf16');
});
