/**
 * Makes many small JPEGs, a folder per class, to try preparation at the size of ImageNet:
 *
 *     npx tsx bench/pictures/generate.ts FOLDER [--count 100000] [--classes 1000] [--broken 0]
 *
 * Pictures are 64 to 128 pixels a side, all different, the same on every machine.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import jpegTurbo from '@julusian/jpeg-turbo';

const { compressSync, FORMAT_RGB, SAMP_420 } = jpegTurbo;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string', default: '100000' },
    classes: { type: 'string', default: '1000' },
    broken: { type: 'string', default: '0' },
  },
});
const [folder] = positionals;
const [count, classes, broken] = [Number(values.count), Number(values.classes), Number(values.broken)];
if (!folder || !(count >= classes)) {
  throw new Error('usage: generate.ts FOLDER [--count N] [--classes N] [--broken N]');
}

/** Numbers below 2^32 that look random (xorshift). */
function generator(seed: number): () => number {
  let state = (seed + 1) * 2654435761;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** A slope of colour with a few rectangles and a little noise: it compresses about as a photo does. */
function pixelsOf(number: number): { pixels: Buffer; width: number; height: number } {
  const random = generator(number);
  const [width, height] = [64 + (random() % 65), 64 + (random() % 65)];
  const pixels = Buffer.alloc(width * height * 3);
  const from = [random() & 255, random() & 255, random() & 255];
  const noise = generator(number ^ 0x5bd1e995);
  const boxes = Array.from({ length: 6 }, () => ({
    left: random() % width,
    top: random() % height,
    width: 4 + (random() % 40),
    height: 4 + (random() % 40),
    shade: (random() % 200) - 100,
  }));
  for (let y = 0, at = 0; y < height; y++) {
    const row = boxes.filter((box) => y >= box.top && y < box.top + box.height);
    for (let x = 0; x < width; x++) {
      let shade = x - y + (noise() & 15);
      for (const box of row) if (x >= box.left && x < box.left + box.width) shade += box.shade;
      for (let channel = 0; channel < 3; channel++) {
        pixels[at++] = Math.max(0, Math.min(255, (from[channel] as number) + shade));
      }
    }
  }
  return { pixels, width, height };
}

for (let label = 0; label < classes; label++) {
  const name = `n${String(label).padStart(8, '0')}`;
  mkdirSync(join(folder, name), { recursive: true });
  for (let number = label; number < count; number += classes) {
    const { pixels, width, height } = pixelsOf(number);
    const jpeg = compressSync(pixels, {
      format: FORMAT_RGB,
      width,
      height,
      subsampling: SAMP_420,
      quality: 90,
    });
    const cut = number < broken ? jpeg.subarray(0, jpeg.length >> 1) : jpeg;
    writeFileSync(join(folder, name, `${name}_${number}.JPEG`), cut);
  }
}
