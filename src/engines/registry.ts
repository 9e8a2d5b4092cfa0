import type { Engine, EngineOptions } from './engine.js';

/** The engines by name; an engine is loaded when it is asked for. */
export const engines = {
  onednn: async (options: EngineOptions): Promise<Engine> =>
    (await import('./onednn/engine.js')).createOneDnnEngine(options),
  torch: async (options: EngineOptions): Promise<Engine> =>
    (await import('./torch/engine.js')).createTorchEngine(options),
} satisfies Record<string, (options: EngineOptions) => Promise<Engine>>;

export type EngineName = keyof typeof engines;
