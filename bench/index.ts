/** `npm run bench`: the training step, inference, the loader, augmentation and preprocessing, beside PyTorch where it is at hand. */
import { Command, InvalidArgumentError } from 'commander';
import { machine } from './machine.js';
import { augmentSuite, transformsSuite } from './suites/augment.js';
import { linkSuite } from './suites/link.js';
import { loaderSuite } from './suites/loader.js';
import { preprocessSuite } from './suites/preprocess.js';
import { scalingSuite } from './suites/scaling.js';
import { inferenceSuite, stepSuite } from './suites/step.js';
import type { BenchOptions, Table } from './suites/suite.js';

const suites = {
  step: stepSuite,
  inference: inferenceSuite,
  loader: loaderSuite,
  augment: augmentSuite,
  transforms: transformsSuite,
  preprocess: preprocessSuite,
  scaling: scalingSuite,
  link: linkSuite,
};
type SuiteName = keyof typeof suites;

const program = new Command('npm run bench --')
  .option('--suite <names>', `comma-separated: ${Object.keys(suites).join(', ')}`, 'step,inference')
  .option('--scaling', 'replicas and ranks beside one replica: --suite scaling', false)
  .option('--torch <python>', 'a Python that has torch: its step is measured in turn with ours')
  .option('--stages <list>', 'the ResNet', '128x2,256x2,512x2,1024x2')
  .option('--pixels <n>', 'height and width of the pictures', positive, 224)
  .option('--batch <n>', 'pictures a step', positive, 32)
  .option('--threads <n>', 'threads of each side', positive, 2)
  .option('--engines <names>', 'ours, comma-separated: onednn, torch', 'onednn')
  .option('--device <name>', 'of the step, for the engine torch and for PyTorch: cpu, cuda:0', 'cpu')
  .option('--precision <kind>', 'of the step, replicas and hosts: fp32, bf16, fp16', 'fp32')
  .option('--link <rate>', 'of the cable between two hosts (link), as tc writes it', '1gbit')
  .option('--rounds <n>', 'times that each side is measured; the median counts', positive, 5)
  .option('--steps <n>', 'steps a measurement', positive, 2)
  .option(
    '--data <folder>',
    'a dataset (loader, augment, transforms) or a folder of pictures; made up where it is missing',
  )
  .option('--json', 'print JSON', false)
  .parse();

const options = program.opts<BenchOptions & { suite: string; scaling: boolean; json: boolean }>();
const tables: Table[] = [];
for (const name of options.scaling ? ['scaling'] : options.suite.split(',')) {
  const suite = suites[name as SuiteName];
  if (!suite) program.error(`there is no suite '${name}'; there are ${Object.keys(suites).join(', ')}`);
  tables.push(await suite(options));
}
const about = machine();
if (options.json) {
  process.stdout.write(`${JSON.stringify({ machine: about, tables }, null, 2)}\n`);
} else {
  console.log(
    Object.entries(about)
      .map(([key, value]) => `${key}: ${value}`)
      .join('\n'),
  );
  for (const { title, rows } of tables) {
    console.log(`\n${title}`);
    console.table(Object.fromEntries(rows.map(({ name, ...rest }) => [name, rest])));
  }
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('takes a whole number above 0');
  return value;
}
