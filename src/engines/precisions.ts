import { cpuHasBf16 } from '../system/cpu.js';
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

async function ofOneDnn({ onProgress }: Options): Promise<EnginePrecisions> {
  const { path } = await findOrGetOneDnn(onProgress ? { onProgress } : {});
  const abilities = precisions(bindOneDnn(path).effectiveIsa(), process.arch);
  return { abilities, bf16Pays: abilities.bf16.supported };
}

/** LibTorch has kernels for all types on all devices; where the hardware has none they are slow. */
async function ofTorch({ device = 'cpu' }: Options): Promise<EnginePrecisions> {
  return {
    abilities: { fp32: { supported: true }, bf16: { supported: true }, fp16: { supported: true } },
    bf16Pays: device === 'cpu' ? cpuHasBf16() : device.startsWith('cuda'),
  };
}

/** One entry for each engine of the registry. */
export const enginePrecisions: Readonly<Record<EngineName, (options: Options) => Promise<EnginePrecisions>>> =
  { onednn: ofOneDnn, torch: ofTorch };
