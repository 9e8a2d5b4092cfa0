/** What layers compute with; weights, their updates, losses and statistics are fp32 in all. */
export type Precision = 'fp32' | 'bf16' | 'fp16';

/** `auto`: bf16 where the engine runs it faster than fp32, else fp32. */
export const precisions = ['fp32', 'bf16', 'fp16', 'auto'] as const;

export type PrecisionSetting = (typeof precisions)[number];
