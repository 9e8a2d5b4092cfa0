/**
 * One picture of runs of ours and PyTorch's: `npx tsx bench/curves/draw.ts --out curves.svg runs/resnet26 pytorch.json`,
 * where a .json file is what bench/curves/recipe.py wrote.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import type { Curves } from '../../dist/report/plot/curves.js';
import { curvesSvg } from '../../dist/report/plot/curves-svg.js';
import type { EpochResult } from '../../dist/train/checkpoint.js';
import { readRun } from '../../dist/train/read-run.js';

const { values, positionals } = parseArgs({
  options: { out: { type: 'string' }, epochs: { type: 'string' } },
  allowPositionals: true,
});
const { out = 'curves.svg' } = values;
const last = Number(values.epochs ?? Number.POSITIVE_INFINITY);

const curves: Curves[] = [];
for (const path of positionals) {
  const { history, ...named } = path.endsWith('.json') ? ofPyTorch(path) : await ofRun(path);
  curves.push({ ...named, history: history.filter(({ epoch }) => epoch <= last) });
}
writeFileSync(out, curvesSvg(curves));

async function ofRun(path: string): Promise<Curves> {
  const { name, info } = await readRun(path, { runDir: '.', onWarning: console.warn });
  return { name: `${name}, resnode`, model: info.model.name, history: info.history };
}

function ofPyTorch(path: string): Curves {
  const name = basename(path, '.json');
  const epochs = JSON.parse(readFileSync(path, 'utf8')) as readonly Omit<EpochResult, 'valTop5'>[];
  return { name, model: name, history: epochs.map((epoch) => ({ ...epoch, valTop5: null })) };
}
