import { Command } from 'commander';
import type { EffectiveConfig, EffectiveSetting } from '../config/effective.js';
import { addTrainOptions, flagsAsConfig, type TrainFlags } from './train.js';

const examples = `
A setting comes from the first of these that says it: a flag, the configuration, the recipe, the run that exists
already, the default. Takes the flags of resnode train and prints what it would train with; changes nothing.

Examples:
  $ resnode config
  $ resnode config --recipe resnet20 --epochs 40
  $ resnode config --project birds --json`;

/** `resnode config`. */
export function configCommand(): Command {
  return addTrainOptions(
    new Command('config').description('Print the settings in force, and where each comes from.'),
  )
    .option('--json', 'print them as JSON', false)
    .addHelpText('after', examples)
    .action(run);
}

async function run(flags: TrainFlags, command: Command): Promise<void> {
  const { gatherConfig } = await import('../config/gather.js');
  const { effectiveConfig } = await import('../config/effective.js');
  const gathered = await gatherConfig({ flags: await flagsAsConfig(flags, command), file: flags.config });
  const effective = await effectiveConfig(gathered);
  process.stdout.write(flags.json ? asJson(gathered.loaded?.path, effective) : asTable(effective));
  if (effective.unread !== undefined) {
    process.stderr.write(`note: ${effective.unread}; the crop is as for large pictures\n`);
  }
}

function asJson(file: string | undefined, { settings }: EffectiveConfig): string {
  const rows = settings.map(({ key, value, source }) => [key, { value: plain(value), source }]);
  return `${JSON.stringify({ config: file ?? null, settings: Object.fromEntries(rows) }, null, 2)}\n`;
}

function asTable({ settings }: EffectiveConfig): string {
  const header = ['setting', 'value', 'from'] as const;
  const rows = [header, ...settings.map(({ key, value, source }) => [key, text(value), source] as const)];
  const width = (column: 0 | 1): number => Math.max(...rows.map((row) => row[column].length));
  const [first, second] = [width(0), Math.min(48, width(1))];
  return rows
    .map(([key, value, source]) => `${key.padEnd(first)}  ${value.padEnd(second)}  ${source}\n`)
    .join('');
}

/** A value on one line. */
function text(value: EffectiveSetting['value']): string {
  if (value === undefined) return '–';
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof RegExp) return String(value);
  if ('name' in value && !('options' in value)) return named(value as { name: string });
  return JSON.stringify(value, (_, each: unknown) => shortened(each)).replaceAll('"', '');
}

/** A transform by its name. */
function shortened(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'options' in value && 'name' in value
    ? value.name
    : value;
}

/** As `--schedule` takes it. */
function named({ name, ...options }: { name: string }): string {
  return [
    name,
    ...Object.entries(options).map(
      ([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
    ),
  ].join(',');
}

function plain(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === 'function') return '[function]';
  return value instanceof RegExp ? String(value) : value;
}
