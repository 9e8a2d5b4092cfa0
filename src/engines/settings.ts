import { z } from 'zod';
import type { EngineName } from './registry.js';

/** What may be asked for; `auto` takes a GPU where there is one, else oneDNN. */
export const engineChoices = ['auto', 'onednn', 'torch'] as const satisfies ReadonlyArray<
  EngineName | 'auto'
>;

export interface EngineSettings {
  /** Default: auto. */
  engine?: (typeof engineChoices)[number] | undefined;
  /** In PyTorch's words: `cpu`, `cuda:0`, `mps`. Default: a GPU where there is one and the engine can use it. */
  device?: string | undefined;
}

export const engineSettings = {
  engine: z.enum(engineChoices).optional(),
  device: z
    .string()
    .regex(
      /^(cpu|cuda(:\d+)?|mps|xpu(:\d+)?)$/,
      "a device is 'cpu', 'cuda', 'cuda:1' (also for ROCm) or 'mps'",
    )
    .optional(),
};
