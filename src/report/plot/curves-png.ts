import sharp from 'sharp';
import { outlinedText } from '../charts/outlined-text.js';
import type { Curves } from './curves.js';
import { curvesSvg } from './curves-svg.js';

const usualDensity = 72;

/** The picture of `curvesSvg` as PNG, twice as large; its text needs no fonts. */
export async function curvesPng(runs: readonly Curves[]): Promise<Uint8Array> {
  const svg = curvesSvg(runs, await outlinedText());
  return sharp(Buffer.from(svg), { density: 2 * usualDensity })
    .png({ palette: true })
    .toBuffer();
}
