import { type Command, InvalidArgumentError } from 'commander';
import type { ModelSpec } from '../models/index.js';
import { parseStages, type Stages } from '../models/stages.js';

/** Flags that say which model; a command's own flags include these. */
export interface ModelFlags {
  model?: string;
  stages?: Stages;
  block?: ModelBlock;
  classes?: number;
  crop?: number;
}

type ModelBlock = (typeof blocks)[number];

const blocks = ['pre-activation', 'bn-conv-relu', 'basic', 'bottleneck'] as const;

/**
 * Adds `--stages --block --classes --crop`, and `--model` unless the command takes the model as an argument.
 * None has a default here: a command tells what was said from what was not.
 */
export function addModelOptions(command: Command, options: { modelOption?: boolean } = {}): Command {
  if (options.modelOption ?? true)
    command.option('--model <name>', 'architecture, e.g. resnet26 (see resnode summary --help)');
  return command
    .option('--stages <list>', 'ResNet of these stages, CHANNELSxBLOCKS each, e.g. 128x2,256x2', parseStages)
    .option('--block <kind>', `kind of block: ${blocks.join(', ')}`, block)
    .option('--classes <number>', 'number of classes', atLeastOne)
    .option('--crop <pixels>', 'height and width of the pictures that the network sees', atLeastOne);
}

/** The model that the flags ask for: `--model`, or a ResNet when there are only `--stages`, or `otherwise`. */
export function modelSpec({ model, stages, block }: ModelFlags, otherwise: string): ModelSpec {
  return { name: model ?? (stages ? 'resnet' : otherwise), stages, block };
}

function block(text: string): ModelBlock {
  const known = blocks.find((each) => each === text);
  if (!known) throw new InvalidArgumentError(`It must be one of ${blocks.join(', ')}.`);
  return known;
}

function atLeastOne(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1)
    throw new InvalidArgumentError('It must be a whole number of at least 1.');
  return Number(text);
}
