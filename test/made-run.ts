import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SafetensorsWriter } from '../src/interop/safetensors.js';
import { type CheckpointInfo, checkpointMetadata, type EpochResult } from '../src/train/checkpoint.js';

/** A history as trainings have it, without a training. */
export function madeHistory(epochs: number, speed = 0.3): EpochResult[] {
  return Array.from({ length: epochs }, (_, index) => {
    const left = Math.exp(-speed * index);
    return {
      epoch: index + 1,
      loss: 4 * left + 0.5,
      trainAccuracy: 90 * (1 - left) + 1,
      valLoss: 4 * left + 1,
      valAccuracy: 60 * (1 - left) + 1,
      valTop5: 80 * (1 - left) + 5,
      learningRate: 0.01 * 0.5 ** Math.floor(index / 4),
      seconds: 50 + index,
    };
  });
}

/** What a checkpoint says of a run with this history. */
export function madeInfo(
  history: readonly EpochResult[],
  changes: Partial<CheckpointInfo> = {},
): CheckpointInfo {
  const model = { family: 'resnet', stages: [[32, 1]], block: 'pre-activation' };
  return {
    model: { name: 'resnet-32x1', description: model },
    classes: ['cat', 'dog'],
    normalization: { mean: [1, 2, 3], std: [4, 5, 6] },
    crop: { height: 32, width: 32 },
    preparation: null,
    dataset: 'f00d',
    epoch: history.length,
    step: 0,
    stepsPerEpoch: 7,
    globalStep: history.length * 7,
    seed: 0,
    config: {
      ...{ data: '/data', model, initialization: 'xavier', crop: 32, batchSize: 8, valBatchSize: 8 },
      ...{ epochs: 9, learningRate: 0.01, optimizer: { kind: 'sgd' }, schedule: { name: 'constant' } },
      ...{ labelSmoothing: 0, flip: true, seed: 0, checkpointInterval: 1, keepLast: 3 },
    },
    schedule: { name: 'constant', state: {} },
    best: history.length > 0 ? { epoch: history.length, accuracy: 59.324 } : null,
    history: [...history],
    running: null,
    engine: 'onednn',
    resnode: '0.0.0',
    ...changes,
  };
}

/** Writes a run folder with one checkpoint of hardly any tensors. */
export function writeMadeRun(folder: string, info: CheckpointInfo): string {
  const checkpoints = join(folder, 'checkpoints');
  mkdirSync(checkpoints, { recursive: true });
  const file = new SafetensorsWriter([{ name: 'w', dtype: 'F32', shape: [1] }], checkpointMetadata(info));
  const path = join(checkpoints, `epoch-${String(info.epoch).padStart(4, '0')}.safetensors`);
  writeFileSync(path, file.finish());
  return path;
}
