import { cpuFasterInBf16, cpuIsAmd } from '../system/cpu.js';
import type { EngineOptions } from './engine.js';
import { bindOneDnn } from './onednn/ffi.js';
import { type PrecisionAbilities, precisions, usesAmx } from './onednn/library/capabilities.js';
import { findOrGetOneDnn } from './onednn/library/index.js';
import type { EngineName } from './registry.js';
import { cudaHasBf16 } from './torch/accelerators.js';

/** What an engine can train with here, known before it is started. */
export interface EnginePrecisions {
  readonly abilities: PrecisionAbilities;
  /** Whether it is known to run bf16 faster than fp32. */
  readonly bf16Pays: boolean;
}

type Options = Pick<EngineOptions, 'device' | 'onProgress'>;

async function ofOneDnn({ onProgress }: Options): Promise<EnginePrecisions> {
  const { path } = await findOrGetOneDnn(onProgress ? { onProgress } : {});
  const isa = bindOneDnn(path).effectiveIsa();
  const abilities = precisions(isa, process.arch);
  return { abilities, bf16Pays: usesAmx(isa) || (abilities.bf16.supported && cpuIsAmd()) };
}

/** LibTorch has kernels for all types on all devices; where the hardware has none they are slow. */
async function ofTorch({ device = 'cpu' }: Options): Promise<EnginePrecisions> {
  return {
    abilities: { fp32: { supported: true }, bf16: { supported: true }, fp16: { supported: true } },
    bf16Pays: device === 'cpu' ? cpuFasterInBf16() : cudaHasBf16(device),
  };
}

/** One entry for each engine of the registry. */
export const enginePrecisions: Readonly<Record<EngineName, (options: Options) => Promise<EnginePrecisions>>> =
  { onednn: ofOneDnn, torch: ofTorch };
