import { describe } from 'vitest';
import { halfConformance } from '../conformance/index.js';
import { engines } from '../registry.js';
import { hasTorch } from './testing/available.js';

// one thread, since tests run beside one another
describe.skipIf(!hasTorch)('torch (skipped where there is no LibTorch, see scripts/libtorch.mjs)', () => {
  const device = process.env.RESNODE_TORCH_DEVICE ?? 'cpu';
  halfConformance(() => engines.torch({ threads: 1, device }), 'bf16');
});
