import sharp, { type OverlayOptions } from 'sharp';
import { outlinedText } from '../../charts/outlined-text.js';
import { markup } from '../../html/markup.js';
import type { Image } from '../messages.js';

/** A picture that the network took for something else. */
export interface Mistake {
  /** Its JPEG. @throws when it can no longer be read */
  readonly read: () => Promise<Buffer>;
  /** Name of its class. */
  readonly label: string;
  /** Name of the class that the network gave it. */
  readonly said: string;
  /** How sure it was, 0 to 1. */
  readonly probability: number;
}

const columns = 5;
const side = 160;
const gap = 8;
const line = 18;
const cell = { width: side + gap, height: side + 2 * line + gap };
/** Letters that fit under a picture. */
const letters = 22;

/** One picture of all mistakes: below each its class, and in red what the network said. */
export async function mistakesSheet(mistakes: readonly Mistake[]): Promise<Image> {
  const width = gap + cell.width * Math.min(columns, Math.max(1, mistakes.length));
  const height = gap + cell.height * Math.ceil(mistakes.length / columns);
  const pictures = await Promise.all(mistakes.map(tile));
  const encodedImageString = await sharp({ create: { width, height, channels: 3, background: '#fff' } })
    .composite([
      ...pictures.map((input, index) => ({ input, ...placeOf(index) })),
      { input: await captions(mistakes, { width, height }), left: 0, top: 0 },
    ] satisfies OverlayOptions[])
    .removeAlpha()
    .png()
    .toBuffer();
  return { width, height, colorspace: 3, encodedImageString };
}

function placeOf(index: number): { left: number; top: number } {
  return {
    left: gap + (index % columns) * cell.width,
    top: gap + Math.floor(index / columns) * cell.height,
  };
}

/** The picture in a square; a grey one where it can no longer be read. */
async function tile({ read }: Mistake): Promise<Buffer> {
  const background = '#f2f2f2';
  try {
    return await sharp(await read())
      .resize(side, side, { fit: 'contain', background })
      .flatten()
      .png()
      .toBuffer();
  } catch {
    return sharp({ create: { width: side, height: side, channels: 3, background } })
      .png()
      .toBuffer();
  }
}

async function captions(
  mistakes: readonly Mistake[],
  { width, height }: { width: number; height: number },
): Promise<Buffer> {
  const write = await outlinedText();
  const size = 14;
  const texts = mistakes.map(({ label, said, probability }, index) => {
    const { left: x, top } = placeOf(index);
    const percent = ` ${Math.round(100 * probability)} %`;
    const first = top + side + line - 4;
    return [
      write(shortened(label, letters), { x, y: first, size, colour: '#000' }),
      write(shortened(said, letters - percent.length) + percent, {
        x,
        y: first + line,
        size,
        colour: '#b3261e',
      }),
    ];
  });
  const open = markup`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif">${texts.flat()}</svg>`;
  return Buffer.from(open.toString());
}

function shortened(name: string, most: number): string {
  // what XML forbids would spoil the whole picture
  const shown = [...name.replaceAll(/[\p{Cc}\p{Cn}\p{Cs}]/gu, ' ')];
  return shown.length <= most ? shown.join('') : `${shown.slice(0, most - 1).join('')}…`;
}
