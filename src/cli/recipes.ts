import { Command } from 'commander';
import type { Recipe } from '../recipes/recipe.js';

const examples = `
A recipe is a set of settings by name. What it leaves open fits the dataset: the crop is the model's, or 7/8 of
smaller pictures. Flags and the configuration change it.

Examples:
  $ resnode recipes
  $ resnode recipes --json
  $ resnode train --data data --recipe resnet20
  $ resnode init --recipe resnet20`;

/** `resnode recipes`. */
export function recipesCommand(): Command {
  return new Command('recipes')
    .description('List the recipes: models with the settings that they are trained with.')
    .option('--json', 'print them with all their settings as JSON', false)
    .addHelpText('after', examples)
    .action(run);
}

async function run({ json }: { json: boolean }): Promise<void> {
  const { recipes } = await import('../recipes/index.js');
  process.stdout.write(json ? `${JSON.stringify(recipes.map(plain), null, 2)}\n` : table(recipes));
}

function table(recipes: readonly Recipe[]): string {
  const header = ['name', 'model', 'optimizer', 'schedule', 'epochs', 'batch', 'what it is'];
  const rows = [header, ...recipes.map(row)];
  const widths = header.map((_, column) => Math.max(...rows.map((each) => each[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return rows.map((cells) => `${line(cells).trimEnd()}\n`).join('');
}

function row({ name, says, settings }: Recipe): string[] {
  const { model, optimizer, schedule, epochs, batchSize, learningRate } = settings;
  return [
    name,
    nameOf(model, 'name'),
    `${nameOf(optimizer, 'kind')} ${learningRate ?? ''}`,
    nameOf(schedule, 'name'),
    String(epochs ?? ''),
    String(batchSize ?? ''),
    says,
  ];
}

function nameOf(value: string | object | undefined, key: string): string {
  if (typeof value !== 'object') return value ?? '';
  return String((value as Record<string, unknown>)[key] ?? '');
}

/** Transforms made for pictures of 224 px, since a function says nothing in JSON. */
function plain({ name, says, settings: { transforms, ...settings } }: Recipe): object {
  const lists = typeof transforms === 'function' ? transforms({ height: 224, width: 224 }) : transforms;
  return { name, says, settings: { ...settings, ...(lists ? { transforms: lists } : {}) } };
}
