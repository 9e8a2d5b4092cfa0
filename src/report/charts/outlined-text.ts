import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import opentype, { type Font } from 'opentype.js';
import { type Markup, markup } from '../html/markup.js';
import { type ChartText, paintText, type TextPainter } from './text-painter.js';

const subsets = ['latin', 'latin-ext', 'greek', 'cyrillic', 'vietnamese'] as const;

interface PlacedGlyph {
  readonly font: Font;
  readonly glyph: opentype.Glyph;
}

/**
 * Text as outlines of the font Inter, which comes with the package: a picture made of it reads the same on a
 * machine without fonts. A text with letters that Inter lacks stays text.
 */
export async function outlinedText(): Promise<TextPainter> {
  const [regular, bold] = await Promise.all([loadFonts(400), loadFonts(600)]);
  return (text, style) => {
    const glyphs = findGlyphs(text.normalize('NFC'), style.bold ? bold : regular);
    return glyphs ? outline(glyphs, style) : paintText(text, style);
  };
}

async function loadFonts(weight: 400 | 600): Promise<Font[]> {
  const { resolve } = createRequire(import.meta.url);
  return Promise.all(
    subsets.map(async (subset) => {
      const path = resolve(`@fontsource/inter/files/inter-${subset}-${weight}-normal.woff`);
      const { buffer, byteOffset, byteLength } = await readFile(path);
      return opentype.parse((buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength));
    }),
  );
}

function findGlyphs(text: string, fonts: readonly Font[]): PlacedGlyph[] | undefined {
  const found: PlacedGlyph[] = [];
  for (const letter of text) {
    const font = fonts.find((each) => each.charToGlyphIndex(letter) > 0);
    if (!font) return undefined;
    found.push({ font, glyph: font.charToGlyph(letter) });
  }
  return found;
}

function outline(glyphs: readonly PlacedGlyph[], style: ChartText): Markup {
  const { x, y, size, colour, anchor = 'start', upwards } = style;
  const advance = ({ font, glyph }: PlacedGlyph): number =>
    ((glyph.advanceWidth ?? 0) * size) / font.unitsPerEm;
  const width = glyphs.reduce((sum, each) => sum + advance(each), 0);
  let at = x - (anchor === 'start' ? 0 : anchor === 'middle' ? width / 2 : width);
  const paths = glyphs.map((each) => {
    const path = each.glyph.getPath(at, y, size).toPathData(2);
    at += advance(each);
    return path;
  });
  const turn = upwards ? markup` transform="rotate(-90 ${x} ${y})"` : '';
  return markup`<path fill="${colour}" d="${paths.join('')}"${turn}/>`;
}
