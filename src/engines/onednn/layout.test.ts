import { describe, expect, it } from 'vitest';
import { activationLayout } from './layout.js';

describe('the layout of activations', () => {
  // masks of dnnl_cpu_isa_t, see library/capabilities.ts
  it.each([
    ['SSE4.1', 0x1, 'any', 'any'],
    ['AVX2', 0x7, 'nChw8c', 'nChw8c'],
    ['AVX-512', 0x27, 'nChw16c', 'nChw16c'],
    ['AVX-512 with BF16', 0xe7, 'nChw16c', 'nChw16c'],
    ['AMX', 0xfef, 'nChw16c', 'nhwc'],
  ] as const)('with %s', (_, isa, full, half) => {
    expect(activationLayout(isa, false)).toBe(full);
    expect(activationLayout(isa, true)).toBe(half);
  });
});
