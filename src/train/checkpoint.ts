import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { UserError } from '../errors.js';
import { parseSafetensors, type Safetensors, SafetensorsError } from '../interop/safetensors.js';
import { trainConfig } from './config.js';
import { scalerState } from './precision/loss-scaler.js';
import { preparation } from './preparation.js';
import { savedSchedule } from './schedules/index.js';

const format = 'resnode checkpoint';
const version = 1;

const rgb = z.tuple([z.number(), z.number(), z.number()]);
const whole = z.int().min(0);

/** An epoch as the history shows it; accuracies in percent, null where there was nothing to measure. */
const epochResult = z.object({
  /** From 1. */
  epoch: z.int().min(1),
  loss: z.number().nullable(),
  trainAccuracy: z.number().nullable(),
  valLoss: z.number().nullable(),
  valAccuracy: z.number().nullable(),
  valTop5: z.number().nullable(),
  learningRate: z.number(),
  /** Mean over the steps, where gradients are clipped by their norm. */
  gradientNorm: z.number().nullable().optional(),
  seconds: z.number(),
});

export type EpochResult = Readonly<z.output<typeof epochResult>>;

const info = z.object({
  /** Name that people know it by, and what makes it again. */
  model: z.object({ name: z.string(), description: z.looseObject({ family: z.string() }) }),
  /** Labels; a label's position is its class id. */
  classes: z.array(z.string()).min(1),
  /** Mean and standard deviation of red, green and blue, 0-255. */
  normalization: z.object({ mean: rgb, std: rgb }),
  /** Size of the pictures that the network saw, in pixels. */
  crop: z.object({ height: z.int().min(1), width: z.int().min(1) }),
  preparation: preparation.nullable(),
  /** SHA-256 of the dataset's tables. */
  dataset: z.string(),
  /** Epochs finished. */
  epoch: whole,
  /** Batches done in the epoch after those; 0 at an epoch's end. */
  step: whole,
  /** Batches in an epoch. */
  stepsPerEpoch: whole,
  /** Batches done in the whole run. */
  globalStep: whole,
  seed: z.int(),
  config: trainConfig,
  schedule: savedSchedule,
  /** Epoch with the best validation accuracy (training accuracy where nothing is validated), in percent. */
  best: z.object({ epoch: z.int().min(1), accuracy: z.number() }).nullable(),
  history: z.array(epochResult),
  /** Sums over the batches of the broken off epoch, and the seconds that they took. */
  running: z
    .object({
      ...{ images: whole, loss: z.number(), top1: whole, top5: whole, seconds: z.number() },
      ...{ norm: z.number().optional(), norms: whole.optional() },
    })
    .nullable(),
  /** Of fp16; kept where the precision changes, for the steps that it skipped. */
  lossScaler: scalerState.nullable().optional(),
  engine: z.string(),
  /** Version of resnode that wrote it. */
  resnode: z.string(),
});

/** Everything that a checkpoint says beside its tensors. */
export type CheckpointInfo = z.output<typeof info>;

export interface Checkpoint {
  readonly path: string;
  readonly info: CheckpointInfo;
  readonly tensors: Safetensors['tensors'];
  /** The whole file. */
  readonly bytes: Uint8Array;
}

/** The file is broken, not merely unsuitable: an older one may serve. */
export class DamagedCheckpoint extends UserError {}

/** Texts to a key and nothing else, as .safetensors has it; structured values as JSON. */
export function checkpointMetadata(values: CheckpointInfo): Record<string, string> {
  const entries = Object.entries(values).map(([key, value]) => [
    key,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return { format, version: String(version), ...Object.fromEntries(entries) };
}

/**
 * Reads a checkpoint and checks all but the names and shapes of its tensors.
 * @throws DamagedCheckpoint when it is cut off or changed; UserError when it is of a newer version, no
 *   checkpoint of resnode, or cannot be read
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  return parseCheckpoint(path, await readBytes(path));
}

/** {@link readCheckpoint} of what was read already. @param path for messages */
export function parseCheckpoint(path: string, bytes: Uint8Array): Checkpoint {
  let file: Safetensors;
  try {
    file = parseSafetensors(bytes);
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    throw new DamagedCheckpoint(`the checkpoint ${path} is damaged: ${error.message}`, { cause: error });
  }
  return { path, info: readInfo(path, file.metadata), tensors: file.tensors, bytes };
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EIO') {
      throw new DamagedCheckpoint(`the checkpoint ${path} is damaged: ${message}`, { cause: error });
    }
    const what =
      code === 'ENOENT' ? `there is no file ${path}` : `cannot read the checkpoint ${path}: ${message}`;
    throw new UserError(what, { cause: error });
  }
}

function readInfo(path: string, metadata: Safetensors['metadata']): CheckpointInfo {
  if (metadata.format !== format) {
    throw new UserError(`${path} holds tensors, but is no checkpoint of resnode`, {
      hint: 'Give a file of the folder checkpoints/ of a run.',
    });
  }
  if (metadata.version !== String(version)) {
    throw new UserError(
      `${path} is a checkpoint of version ${metadata.version}; this resnode reads ${version}`,
      {
        hint: `It was written by resnode ${metadata.resnode ?? 'of another version'}: use that one.`,
      },
    );
  }
  const result = info.safeParse(
    Object.fromEntries(Object.entries(metadata).map(([key, text]) => [key, decode(key, text)])),
  );
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new DamagedCheckpoint(
    `the checkpoint ${path} is damaged: ${issue?.path.join('.')}: ${issue?.message}`,
  );
}

const texts = new Set(['format', 'version', 'dataset', 'engine', 'resnode', 'checksum']);

function decode(key: string, text: string): unknown {
  if (texts.has(key)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
