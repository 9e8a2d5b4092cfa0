import { UserError } from '../errors.js';
import type { EngineName } from './registry.js';
import { type EngineSettings, engineSettings } from './settings.js';

export interface ChosenEngine {
  readonly engine: EngineName;
  readonly device: string;
}

export interface Choosing {
  /** Which GPU is taken unasked, counted round and round. Default: the first. */
  readonly turn?: number | undefined;
  /** Devices of the GPUs that there are. Default: the drivers are asked. */
  readonly gpus?: readonly string[] | undefined;
}

/**
 * Settles which engine runs, and on what.
 * @throws UserError the two do not go together
 */
export async function chooseEngine(
  { engine = 'auto', device }: EngineSettings,
  { turn = 0, gpus }: Choosing = {},
): Promise<ChosenEngine> {
  check({ engine, device });
  if (engine === 'onednn' || (engine === 'auto' && device === 'cpu')) {
    if (device === undefined || device === 'cpu') return { engine: 'onednn', device: 'cpu' };
    throw new UserError(`the engine onednn runs on the CPU alone, not on ${device}`, {
      hint: 'take --engine torch, or leave --engine out',
    });
  }
  const there = gpus ?? (await driversDevices());
  const gpu = there[turn % there.length];
  if (engine === 'torch') return { engine, device: device ?? gpu ?? 'cpu' };
  if (device !== undefined) return { engine: 'torch', device };
  // a library is not fetched unasked: it is 3 GB with a GPU's
  if (gpu) {
    const { findTorch } = await import('./torch/library/index.js');
    if ((await findTorch())?.accelerated) return { engine: 'torch', device: gpu };
  }
  return { engine: 'onednn', device: 'cpu' };
}

async function driversDevices(): Promise<string[]> {
  const { accelerators } = await import('./torch/accelerators.js');
  return accelerators().map(({ device }) => device);
}

function check({ engine, device }: EngineSettings): void {
  if (!engineSettings.engine.safeParse(engine).success) {
    throw new UserError(`there is no engine '${engine}'`, { hint: 'use auto, onednn or torch' });
  }
  if (!engineSettings.device.safeParse(device).success) {
    throw new UserError(`'${device}' is no device`, { hint: 'use cpu, cuda, cuda:1 (also for ROCm) or mps' });
  }
}
