import { engineConformance } from '../conformance/index.js';
import { engines } from '../registry.js';

// SSE41 instructions at most: other layouts, other kernels, more reorders than on a newer CPU
engineConformance(() => {
  process.env.ONEDNN_MAX_CPU_ISA = 'SSE41';
  return engines.onednn({ threads: 1 });
});
