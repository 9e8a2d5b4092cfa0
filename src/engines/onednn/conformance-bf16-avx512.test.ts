import { describe } from 'vitest';
import { cpuFeatures } from '../../system/cpu.js';
import { halfConformance } from '../conformance/index.js';
import { engines } from '../registry.js';

// AVX-512 BF16 at most, where conformance-bf16.test.ts runs with AMX: other layouts and other kernels
const hasAmx = cpuFeatures()?.includes('amx_bf16') ?? false;

describe.skipIf(!hasAmx)('oneDNN in bf16 without AMX (skipped where there is none to leave out)', () => {
  halfConformance(() => {
    process.env.ONEDNN_MAX_CPU_ISA = 'AVX512_CORE_BF16';
    return engines.onednn({ threads: 1 });
  }, 'bf16');
});
