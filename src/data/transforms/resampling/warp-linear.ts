import { borderIndex } from './border.js';
import type { EdgeKernel, InsideKernel, WarpKernel } from './warp-row.js';

/** Bits of the fraction between two pixels: the product of two fractions and a byte has 30. */
const bits = 11;
const one = 1 << bits;
const whole = 1 << (2 * bits);
const half = whole >> 1;

const inside: InsideKernel = ({ pixels, start, step, stride }, row, first, last) => {
  const { target } = row;
  const x0 = row.x0 * one + 0.5;
  const y0 = row.y0 * one + 0.5;
  const dx = row.dx * one;
  const dy = row.dy * one;
  const end = row.at + 3 * last;
  for (let column = first, to = row.at + 3 * first; to < end; column++, to += 3) {
    const x = (x0 + dx * column) | 0;
    const y = (y0 + dy * column) | 0;
    const p = start + Math.imul(y >> bits, stride) + Math.imul(x >> bits, step);
    const q = p + step;
    const r = p + stride;
    const s = r + step;
    const fx = x & (one - 1);
    const fy = y & (one - 1);
    const ws = Math.imul(fx, fy);
    const wq = (fx << bits) - ws;
    const wr = (fy << bits) - ws;
    const wp = whole - (fx << bits) - wr;
    target[to] =
      (Math.imul(pixels[p] as number, wp) +
        Math.imul(pixels[q] as number, wq) +
        Math.imul(pixels[r] as number, wr) +
        Math.imul(pixels[s] as number, ws) +
        half) >>
      (2 * bits);
    target[to + 1] =
      (Math.imul(pixels[p + 1] as number, wp) +
        Math.imul(pixels[q + 1] as number, wq) +
        Math.imul(pixels[r + 1] as number, wr) +
        Math.imul(pixels[s + 1] as number, ws) +
        half) >>
      (2 * bits);
    target[to + 2] =
      (Math.imul(pixels[p + 2] as number, wp) +
        Math.imul(pixels[q + 2] as number, wq) +
        Math.imul(pixels[r + 2] as number, wr) +
        Math.imul(pixels[s + 2] as number, ws) +
        half) >>
      (2 * bits);
  }
};

const edge: EdgeKernel = (source, row, first, last, { mode, fill }) => {
  const { pixels, width, height, start, step, stride } = source;
  const { target } = row;
  for (let column = first, to = row.at + 3 * first; column < last; column++, to += 3) {
    const sourceX = row.x0 + row.dx * column;
    const sourceY = row.y0 + row.dy * column;
    const x = Math.floor(sourceX);
    const y = Math.floor(sourceY);
    const left = borderIndex(x, width, mode);
    const right = borderIndex(x + 1, width, mode);
    const upper = borderIndex(y, height, mode);
    const lower = borderIndex(y + 1, height, mode);
    const p = left < 0 || upper < 0 ? -1 : start + upper * stride + left * step;
    const q = right < 0 || upper < 0 ? -1 : start + upper * stride + right * step;
    const r = left < 0 || lower < 0 ? -1 : start + lower * stride + left * step;
    const s = right < 0 || lower < 0 ? -1 : start + lower * stride + right * step;
    const fx = sourceX - x;
    const fy = sourceY - y;
    for (let channel = 0; channel < 3; channel++) {
      const beyond = fill[channel] as number;
      const vp = p < 0 ? beyond : (pixels[p + channel] as number);
      const vq = q < 0 ? beyond : (pixels[q + channel] as number);
      const vr = r < 0 ? beyond : (pixels[r + channel] as number);
      const vs = s < 0 ? beyond : (pixels[s + channel] as number);
      const above = vp + fx * (vq - vp);
      target[to + channel] = above + fy * (vr + fx * (vs - vr) - above) + 0.5;
    }
  }
};

export const linear: WarpKernel = { before: 0, after: 1, inside, edge };
