import { type EnginePrecisions, enginePrecisions } from '../../engines/precisions.js';
import type { EngineName } from '../../engines/registry.js';
import { exitCodes, UserError } from '../../errors.js';
import type { TrainListener } from '../events.js';
import type { World } from '../world.js';
import type { Precision, PrecisionSetting } from './precision.js';

export interface PrecisionChoice {
  readonly engine: EngineName;
  readonly device?: string | undefined;
  /** Told what `auto` comes to. */
  readonly listener: TrainListener;
  /** The ranks that have to take the same. */
  readonly world?: Pick<World, 'gather'> | undefined;
}

/**
 * What the layers of a run compute with. Asks the engine only where it is not fp32, which runs everywhere.
 * @param setting left out it is `auto`, which then says nothing of a machine that has fp32 alone
 * @throws UserError naming the alternatives where this machine cannot do what is asked for
 */
export async function choosePrecision(
  setting: PrecisionSetting | undefined,
  { engine, device, listener, world }: PrecisionChoice,
): Promise<Precision> {
  if (setting === 'fp32') return setting;
  const known = await enginePrecisions[engine]({
    ...(device === undefined ? {} : { device }),
    onProgress: (text) => listener({ kind: 'message', text }),
  });
  const own = decidePrecision(setting ?? 'auto', engine, known);
  // only auto says why
  const { precision, why } = own.why ? await agree(own, world) : own;
  const says = why && (precision !== 'fp32' || setting !== undefined);
  if (says) listener({ kind: 'message', text: `precision ${precision}: ${why}` });
  return precision;
}

interface Decision {
  readonly precision: Precision;
  /** What `auto` came to it by. */
  readonly why?: string;
}

/** What all ranks can do. */
async function agree(own: Decision, world: Pick<World, 'gather'> | undefined): Promise<Decision> {
  const all = await world?.gather([own]);
  return all?.find(({ precision }) => precision === 'fp32') ?? own;
}

/** {@link choosePrecision} of what is known of the engine. */
export function decidePrecision(
  setting: PrecisionSetting,
  engine: EngineName,
  { abilities, bf16Pays }: EnginePrecisions,
): Decision {
  if (setting === 'auto') {
    if (abilities.bf16.supported && bf16Pays) {
      return { precision: 'bf16', why: `the engine ${engine} runs it faster than fp32 here` };
    }
    const reason = abilities.bf16.supported ? 'it is not known to be faster here' : abilities.bf16.reason;
    return { precision: 'fp32', why: `not bf16, ${reason}` };
  }
  const ability = abilities[setting];
  if (ability.supported) return { precision: setting };
  throw new UserError(`the engine ${engine} cannot train in ${setting} here: ${ability.reason}`, {
    exitCode: exitCodes.usage,
    hint: `Give --precision fp32${alternative(setting, engine, abilities)}.`,
  });
}

function alternative(
  setting: Precision,
  engine: EngineName,
  { bf16 }: EnginePrecisions['abilities'],
): string {
  const other = setting === 'fp16' && bf16.supported ? ', or bf16' : '';
  return engine === 'onednn'
    ? `${other}, or --engine torch, which runs ${setting} on any CPU and on GPUs`
    : other;
}
