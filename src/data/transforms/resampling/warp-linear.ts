import { type BorderMode, borderIndex } from './border.js';
import type { EdgeKernel, InsideKernel, WarpKernel } from './warp-row.js';

/** Coordinates are whole numbers in units of 2^-16, started anew in every block of columns: no error adds up. */
const block = 64;
const unit = 2 ** 16;
/** Half a step of what `mix` can tell apart, to round to the nearest. */
const rounding = unit / 512;

const inside: InsideKernel = ({ view, start, step, stride }, row, first, last) => {
  const { target } = row;
  const dx = Math.round(row.dx * unit);
  const dy = Math.round(row.dy * unit);
  let to = row.at + 3 * first;
  for (let column = first; column < last; ) {
    // blocks lie where they lie in the whole picture, whatever part of it is asked for
    const begin = column & -block;
    const end = Math.min(last, begin + block);
    let x = (Math.round((row.x0 + row.dx * begin) * unit) + rounding + dx * (column - begin)) | 0;
    let y = (Math.round((row.y0 + row.dy * begin) * unit) + rounding + dy * (column - begin)) | 0;
    for (; column < end; column++, to += 3) {
      const p = start + Math.imul(y >> 16, stride) + Math.imul(x >> 16, step);
      const r = p + stride;
      const pixel = mix(
        view.getUint32(p, true),
        view.getUint32(p + step, true),
        view.getUint32(r, true),
        view.getUint32(r + step, true),
        (x >>> 8) & 255,
        (y >>> 8) & 255,
      );
      target.setUint32(to, pixel, true);
      x = (x + dx) | 0;
      y = (y + dy) | 0;
    }
  }
};

const edge: EdgeKernel = (source, row, first, last, { mode, word }) => {
  const { view, width, height, start, step, stride } = source;
  const { target } = row;
  for (let column = first, to = row.at + 3 * first; column < last; column++, to += 3) {
    const sourceX = row.x0 + row.dx * column;
    const sourceY = row.y0 + row.dy * column;
    const x = Math.floor(sourceX);
    const y = Math.floor(sourceY);
    const left = place(x, width, mode);
    const right = place(x + 1, width, mode);
    const upper = place(y, height, mode);
    const lower = place(y + 1, height, mode);
    const above = start + upper * stride;
    const below = start + lower * stride;
    const pixel = mix(
      left < 0 || upper < 0 ? word : view.getUint32(above + left * step, true),
      right < 0 || upper < 0 ? word : view.getUint32(above + right * step, true),
      left < 0 || lower < 0 ? word : view.getUint32(below + left * step, true),
      right < 0 || lower < 0 ? word : view.getUint32(below + right * step, true),
      Math.round((sourceX - x) * 256),
      Math.round((sourceY - y) * 256),
    );
    target.setUint32(to, pixel, true);
  }
};

/** The usual cases of `borderIndex`, without a call. */
function place(index: number, length: number, mode: BorderMode): number {
  if (mode === 'replicate') return Math.max(0, Math.min(length - 1, index));
  return borderIndex(index, length, mode);
}

/** Red and blue of a pixel's word. */
const redBlue = 0xff00ff;

/**
 * The pixel between four: p and q above, r and s below, `fx` and `fy` parts of 256 from left to right and from
 * above to below. Red and blue are computed in one number, with eight bits between them; the weights are whole
 * numbers that add up to 256, which keeps the result within a grey level of the exact one.
 */
function mix(p: number, q: number, r: number, s: number, fx: number, fy: number): number {
  const ws = (Math.imul(fx, fy) + 128) >> 8;
  const wq = fx - ws;
  const wr = fy - ws;
  const wp = 256 - fx - wr;
  const outer =
    Math.imul(p & redBlue, wp) +
    Math.imul(q & redBlue, wq) +
    Math.imul(r & redBlue, wr) +
    Math.imul(s & redBlue, ws) +
    0x800080;
  const green =
    Math.imul((p >>> 8) & 255, wp) +
    Math.imul((q >>> 8) & 255, wq) +
    Math.imul((r >>> 8) & 255, wr) +
    Math.imul((s >>> 8) & 255, ws) +
    128;
  return ((outer >>> 8) & redBlue) | (green & 0xff00);
}

export const linear: WarpKernel = { before: 0, after: 1, inside, edge };
