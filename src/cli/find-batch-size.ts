import type { GatheredConfig } from '../config/gather.js';
import { parseByteSize } from '../data/byte-size.js';
import { exitCodes, UserError } from '../errors.js';

export interface FindBatchSizeFlags {
  /** `8GB`; by default what is available. */
  readonly memory?: string | undefined;
  readonly json: boolean;
}

/** Prints the largest batch whose training fits into memory, by the plan of its graph: nothing is run. */
export async function printBatchSize(gathered: GatheredConfig, flags: FindBatchSizeFlags): Promise<void> {
  const { readDataset } = await import('../data/dataset.js');
  const { resolveTraining } = await import('../train/config.js');
  const { largestBatch } = await import('../train/memory.js');
  const { chooseDevices } = await import('../train/choose-devices.js');
  const { choosePrecision } = await import('../train/precision/choose-precision.js');
  const { memory } = await import('../system/memory.js');
  const { settings } = gathered;
  if (settings.data === undefined) {
    throw new UserError('no dataset was given', { exitCode: exitCodes.usage, hint: 'Give --data DATA.' });
  }
  const dataset = await readDataset(settings.data);
  const { accumulate = 1 } = settings;
  // any that divides: the batch size is what is asked for
  const given = { ...settings, batchSize: accumulate };
  const { config, model, optimizer } = resolveTraining({ given, dataset });
  const limit = flags.memory === undefined ? memory().available : bytesOf(flags.memory);
  const { engine, devices } = await chooseDevices(config);
  const precision = await choosePrecision(config.precision, {
    engine,
    device: devices[0],
    listener: (event) => {
      if (event.kind === 'message') process.stderr.write(`${event.text}\n`);
    },
  });
  const question = {
    ...{ model, optimizer, accumulate, precision, crop: config.crop },
    classes: dataset.classes.length,
  };
  const found = largestBatch(question, { limit, atMost: dataset.train.length });
  if (!found) {
    throw new UserError(
      `not even a small batch of ${model.name} at ${config.crop} px fits into ${megabytes(limit)}`,
      {
        hint: 'Give more --memory, a smaller --crop or a smaller model.',
      },
    );
  }
  const { batchSize, memory: needed } = found;
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ batchSize, limit, memory: needed }, null, 2)}\n`);
    return;
  }
  const { total, ...parts } = needed;
  const rows = Object.entries(parts).map(([name, bytes]) => `  ${name.padEnd(12)}${megabytes(bytes)}`);
  const head = `batch size ${batchSize}: ${megabytes(total)} of ${megabytes(limit)}`;
  process.stdout.write(`${[head, ...rows].join('\n')}\n`);
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

/** @throws UserError when it is no size */
function bytesOf(size: string): number {
  // a machine's memory: neither bytes nor terabytes
  const bytes = /\d\s*[mg]i?b$/i.test(size.trim()) ? parseByteSize(size) : undefined;
  if (bytes) return bytes;
  throw new UserError(`'${size}' is no amount of memory`, {
    exitCode: exitCodes.usage,
    hint: 'Give a number with a unit, e.g. 8GB or 500MiB.',
  });
}
