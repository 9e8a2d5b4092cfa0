import { type Markup, markup } from '../html/markup.js';

/** A line of text in a chart. */
export interface ChartText {
  readonly x: number;
  /** Of the baseline. */
  readonly y: number;
  readonly size: number;
  readonly colour: string;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly bold?: boolean;
  /** Turned to the left by a quarter, around (x, y). */
  readonly upwards?: boolean;
}

/** Draws text into an SVG picture. */
export type TextPainter = (text: string, style: ChartText) => Markup;

/** Leaves the text as text: for pages and for programs with fonts of their own. */
export const paintText: TextPainter = (text, style) => {
  const { x, y, size, colour, anchor = 'start', bold, upwards } = style;
  const turn = upwards ? markup` transform="rotate(-90 ${x} ${y})"` : '';
  const weight = bold ? markup` font-weight="600"` : '';
  return markup`<text x="${x}" y="${y}" font-size="${size}" text-anchor="${anchor}" fill="${colour}"${weight}${turn}>${text}</text>`;
};
