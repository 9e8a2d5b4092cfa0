import { chooseEngine } from '../engines/choose.js';
import type { EngineName } from '../engines/registry.js';
import type { EngineSettings } from '../engines/settings.js';
import { exitCodes, UserError } from '../errors.js';
import { parseDevices } from '../parallel/devices.js';

export interface ChosenDevices {
  readonly engine: EngineName;
  /** One for each replica. */
  readonly devices: readonly string[];
}

/**
 * Settles which engine runs the replicas of a training, and where.
 * @throws UserError engine and devices do not go together
 */
export async function chooseDevices(settings: {
  readonly engine?: EngineSettings['engine'];
  readonly devices?: string | undefined;
  /** This process among those of the machine: without `devices`, each takes the next GPU. Default 0. */
  readonly localRank?: number | undefined;
}): Promise<ChosenDevices> {
  const { engine, devices, localRank } = settings;
  const asked = devices === undefined ? [undefined] : parseDevices(devices);
  const chosen = await Promise.all(
    asked.map((device) => chooseEngine({ engine, device }, { turn: localRank })),
  );
  const [first, ...others] = chosen;
  if (!first) throw new Error('no devices');
  if (others.some((other) => other.engine !== first.engine)) {
    throw new UserError(`the devices ${devices} have no engine in common`, {
      exitCode: exitCodes.usage,
      hint: 'Give --engine torch, which runs on all of them.',
    });
  }
  return { engine: first.engine, devices: chosen.map(({ device }) => device) };
}
