import { Command } from 'commander';
import { addModelOptions, type ModelFlags, modelSpec } from './model-options.js';

interface Flags extends ModelFlags {
  layers: boolean;
  json: boolean;
}

const classesOfCaltech = 256;

const examples = `
MODEL is one of
  resnet20 resnet26 resnet29 resnet38 resnet50 resnet101 resnet152 resnet200
  resnet                      of your own --stages
  cifar-resnet<depth>         for pictures of 32 px: 20, 29, 38, 56, 110, 164, 1001, any 6n+2 or 9n+2
  alexnet zfnet vgg13

Examples:
  $ resnode summary resnet50
  $ resnode summary resnet50 --block bn-conv-relu
  $ resnode summary --stages 128x2,256x2,512x2,1024x2 --crop 112 --classes 101
  $ resnode summary cifar-resnet20 --classes 10 --layers
  $ resnode summary vgg13 --json`;

/** `resnode summary [MODEL]`. */
export function summaryCommand(): Command {
  const command = new Command('summary')
    .description('Print the layers of a model: sizes, parameters, floating-point operations.')
    .argument('[model]', 'name of the model (default: resnet26)');
  return addModelOptions(command, { modelOption: false })
    .option('--layers', 'a line for every layer, not for each module', false)
    .option('--json', 'print the table as JSON', false)
    .addHelpText('after', examples)
    .action(run);
}

async function run(name: string | undefined, flags: Flags): Promise<void> {
  const { createModel, defaultModel } = await import('../models/index.js');
  const { summarizeModel } = await import('../models/summarize-model.js');
  const { summaryTable } = await import('../graph/summary-table.js');
  const { layers, json, classes = classesOfCaltech, crop } = flags;
  const model = createModel(modelSpec(name === undefined ? flags : { ...flags, model: name }, defaultModel));
  const summary = summarizeModel(model, { size: crop, classes, layers });
  const text = json
    ? `${JSON.stringify({ model: model.name, ...model.description, classes, ...summary }, null, 2)}\n`
    : `${model.name}, ${classes} classes\n\n${summaryTable(summary, { names: layers })}`;
  process.stdout.write(text);
}
