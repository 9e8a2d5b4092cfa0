import type { Engine } from './engine.js';

export interface EngineOptions {
  /** Threads of the engine's own pool; physical cores by default. */
  threads?: number;
  onProgress?: (message: string) => void;
}

/** The engines by name; an engine is loaded when it is asked for. */
export const engines = {
  onednn: async (options: EngineOptions): Promise<Engine> =>
    (await import('./onednn/engine.js')).createOneDnnEngine(options),
} satisfies Record<string, (options: EngineOptions) => Promise<Engine>>;

export type EngineName = keyof typeof engines;
