import { describe } from 'vitest';
import { halfConformance } from '../conformance/index.js';
import { enginePrecisions } from '../precisions.js';
import { engines } from '../registry.js';

const { bf16 } = (await enginePrecisions.onednn({})).abilities;
const why = bf16.supported ? '' : ` (skipped: ${bf16.reason})`;

describe.skipIf(!bf16.supported)(`oneDNN in bf16${why}`, () => {
  halfConformance(() => engines.onednn({ threads: 1 }), 'bf16');
});
