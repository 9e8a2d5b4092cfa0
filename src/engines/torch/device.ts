import { UserError } from '../../errors.js';
import { EngineError } from '../engine.js';
import type { Torch } from './ffi.js';

/** Where an engine computes, as LibTorch counts it. */
export interface Device {
  /** In PyTorch's words: `cpu`, `cuda:0`, `mps`. */
  readonly name: string;
  readonly type: number;
  readonly index: number;
  /** Whether the host reads and writes its memory as its own. */
  readonly host: boolean;
}

/** @throws UserError LibTorch does not know such a device */
export function parseDevice(torch: Torch, name: string): Device {
  const type = new Uint32Array(1);
  const index = new Int32Array(1);
  try {
    torch.call('torch_parse_device_string', name, type, index);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new UserError(`'${name}' is no device: ${error.message}`, {
      hint: 'use cpu, cuda, cuda:1 (also for ROCm) or mps',
      cause: error,
    });
  }
  const code = type[0] ?? 0;
  // without a number, the first of its kind; the CPU and MPS count none
  const at = index[0] ?? -1;
  const host = code === torch.codes.cpu;
  return { name, type: code, index: host ? -1 : Math.max(0, at), host };
}
