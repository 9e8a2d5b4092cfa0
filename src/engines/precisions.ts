import type { EngineOptions } from './engine.js';
import { bindOneDnn } from './onednn/ffi.js';
import { type PrecisionAbilities, precisions } from './onednn/library/capabilities.js';
import { findOrGetOneDnn } from './onednn/library/index.js';
import type { EngineName } from './registry.js';

/** What an engine can train with here, known before it is started. */
export interface EnginePrecisions {
  readonly abilities: PrecisionAbilities;
  /** Whether it runs bf16 faster than fp32. */
  readonly bf16Pays: boolean;
}

type Options = Pick<EngineOptions, 'device' | 'onProgress'>;

/** One entry for each engine of the registry. */
export const enginePrecisions: Readonly<Record<EngineName, (options: Options) => Promise<EnginePrecisions>>> =
  {
    onednn: async (options) => {
      const { path } = await findOrGetOneDnn(options.onProgress ? { onProgress: options.onProgress } : {});
      const abilities = precisions(bindOneDnn(path).effectiveIsa(), process.arch);
      return { abilities, bf16Pays: abilities.bf16.supported };
    },
  };
