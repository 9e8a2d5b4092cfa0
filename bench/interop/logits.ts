/** Logits of a checkpoint on a batch that both sides compute: `npx tsx bench/interop/logits.ts FILE > logits.json`. */
import { engines } from '../../dist/engines/registry.js';
import { createModel } from '../../dist/models/index.js';
import { readCheckpoint } from '../../dist/train/checkpoint.js';
import { inferenceGraph } from '../../dist/train/training-graph.js';
import { fill } from '../../test/golden/formula.js';

const [file = ''] = process.argv.slice(2);
const { info, tensors } = await readCheckpoint(file);
const [batchSize, pixels] = [4, info.crop.height];
const engine = await engines.onednn({});
const state = engine.createState();
const classes = info.classes.length;
const batch = { batchSize, height: pixels, width: pixels, classes };
const program = engine.compile(inferenceGraph(createModel(info.model.description), batch), { state });
for (const name of state.values.keys()) {
  const bytes = tensors.get(name)?.bytes;
  if (!bytes) throw new Error(`${file} lacks ${name}`);
  state.write(name, new Float32Array(Uint8Array.from(bytes).buffer));
}
program.run({ image: fill('images', batchSize * 3 * pixels * pixels) });
const description = { stages: info.model.description.stages, classes, batchSize, pixels };
process.stdout.write(JSON.stringify({ ...description, logits: [...program.read('logits')] }));
engine.close();
