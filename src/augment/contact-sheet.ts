import sharp, { type OverlayOptions } from 'sharp';

/** 8-bit RGB in plain rows. */
export interface Tile {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** A picture that a sheet shows, and what became of it. */
export interface SheetRow {
  readonly original: Tile;
  readonly draws: readonly Tile[];
}

interface SheetOptions {
  /** Longest side that a picture has on the sheet; larger ones are scaled down. */
  readonly longestSide?: number;
}

const gap = 6;
const background = '#ffffff';
const captionHeight = 22;

/** A PNG with a row for each picture: the original at the left, its draws beside it, below a row of captions. */
export async function contactSheet(
  rows: readonly SheetRow[],
  captions: readonly string[],
  { longestSide = 256 }: SheetOptions = {},
): Promise<Buffer> {
  const tiles = rows.map(({ original, draws }) => [original, ...draws]);
  const columns = Math.max(...tiles.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...tiles.map((row) => sizeOnSheet(row[column], longestSide).width)),
  );
  const heights = tiles.map((row) => Math.max(...row.map((tile) => sizeOnSheet(tile, longestSide).height)));
  const lefts = starts(widths, gap);
  const tops = starts(heights, gap + captionHeight);
  const placed = tiles.flatMap((row, at) =>
    row.map((tile, column) => place(tile, { left: lefts[column] ?? 0, top: tops[at] ?? 0, longestSide })),
  );
  const width = (lefts.at(-1) ?? 0) + (widths.at(-1) ?? 0) + gap;
  const height = (tops.at(-1) ?? 0) + (heights.at(-1) ?? 0) + gap;
  const header = { input: captionRow(captions, { lefts, widths, width }), left: 0, top: 0 };
  return sharp({ create: { width, height, channels: 3, background } })
    .composite([header, ...(await Promise.all(placed))])
    .png()
    .toBuffer();
}

/** Where each of several lengths starts, `gap` between them. */
function starts(lengths: readonly number[], first: number): number[] {
  let at = first;
  return lengths.map((length) => {
    const start = at;
    at += length + gap;
    return start;
  });
}

function sizeOnSheet(tile: Tile | undefined, longestSide: number): { width: number; height: number } {
  if (!tile) return { width: 0, height: 0 };
  const scale = Math.min(1, longestSide / Math.max(tile.width, tile.height));
  const scaled = (side: number): number => Math.max(1, Math.round(side * scale));
  return { width: scaled(tile.width), height: scaled(tile.height) };
}

async function place(
  tile: Tile,
  { left, top, longestSide }: { left: number; top: number; longestSide: number },
): Promise<OverlayOptions> {
  const { width, height } = sizeOnSheet(tile, longestSide);
  const raw = { width: tile.width, height: tile.height, channels: 3 } as const;
  const input = await sharp(tile.pixels, { raw }).resize(width, height, { fit: 'fill' }).png().toBuffer();
  return { input, left, top };
}

function captionRow(
  captions: readonly string[],
  { lefts, widths, width }: { lefts: readonly number[]; widths: readonly number[]; width: number },
): Buffer {
  const texts = captions.map((caption, column) => {
    const middle = (lefts[column] ?? 0) + (widths[column] ?? 0) / 2;
    return `<text x="${middle}" y="16" text-anchor="middle">${escaped(caption)}</text>`;
  });
  const style = 'font-family="sans-serif" font-size="13" fill="#222222"';
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${captionHeight}"><g ${style}>${texts.join('')}</g></svg>`,
  );
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
