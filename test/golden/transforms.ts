import { readFileSync } from 'node:fs';
import { parseSafetensors } from '../../src/interop/safetensors.js';

/** What albumentations made of the test picture for given parameters. */
export interface TransformCase {
  readonly id: string;
  readonly transform: string;
  /** In our words. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Height and width of the test picture. */
  readonly size: readonly [number, number];
  readonly params: unknown;
  /** Height and width of what came out. */
  readonly shape: readonly number[];
  readonly pixels: Uint8Array;
}

/** The cases of `transforms/NAME.safetensors`. */
export function transformCases(name: string): TransformCase[] {
  const bytes = readFileSync(new URL(`transforms/${name}.safetensors`, import.meta.url));
  const { metadata, tensors } = parseSafetensors(bytes);
  const { cases } = JSON.parse(metadata.content ?? '') as {
    cases: Array<Omit<TransformCase, 'shape' | 'pixels'>>;
  };
  return cases.map((each) => {
    const tensor = tensors.get(each.id);
    if (!tensor) throw new Error(`${name} lacks the pixels of case ${each.id}`);
    return { ...each, shape: tensor.shape, pixels: tensor.bytes };
  });
}

/** The test picture: slopes with a quarter of noise, the same to the byte as in python/transforms_geometry.py. */
export function goldenPicture(height: number, width: number): Uint8Array {
  return Uint8Array.from({ length: height * width * 3 }, (_, index) => {
    let x = (Math.imul(index, 2654435761) + 12345) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    const noise = (x ^ (x >>> 16)) >>> 24;
    const row = Math.floor(index / (3 * width));
    const column = Math.floor(index / 3) % width;
    const around = (row * 17 + column * 11 + (index % 3) * 60) % 510;
    const slope = around > 255 ? 510 - around : around;
    return (3 * slope + noise) >> 2;
  });
}
