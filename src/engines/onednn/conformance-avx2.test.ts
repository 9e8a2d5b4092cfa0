import { engineConformance } from '../conformance/index.js';
import { engines } from '../registry.js';

// AVX2 instructions at most: other layouts, other kernels, more reorders than on a newer CPU
engineConformance(() => {
  process.env.ONEDNN_MAX_CPU_ISA = 'AVX2';
  return engines.onednn({ threads: 1 });
});
