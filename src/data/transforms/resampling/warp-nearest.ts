import { roundHalfEven } from '../round-half-even.js';
import { borderIndex } from './border.js';
import type { EdgeKernel, InsideKernel, WarpKernel } from './warp-row.js';

// coordinates in single precision, as OpenCV has them: which of two equally near pixels is taken depends on it
const inside: InsideKernel = ({ view, start, step, stride }, row, first, last) => {
  const { target } = row;
  const dx = Math.fround(row.dx);
  const dy = Math.fround(row.dy);
  const x0 = Math.fround(row.x0);
  const y0 = Math.fround(row.y0);
  for (let column = first, to = row.at + 3 * first; column < last; column++, to += 3) {
    const x = roundHalfEven(Math.fround(x0 + dx * column));
    const y = roundHalfEven(Math.fround(y0 + dy * column));
    const from = start + y * stride + x * step;
    target.setUint32(to, view.getUint32(from, true), true);
  }
};

const edge: EdgeKernel = (source, row, first, last, { mode, word }) => {
  const { view, width, height, start, step, stride } = source;
  const { target } = row;
  const dx = Math.fround(row.dx);
  const dy = Math.fround(row.dy);
  const x0 = Math.fround(row.x0);
  const y0 = Math.fround(row.y0);
  for (let column = first, to = row.at + 3 * first; column < last; column++, to += 3) {
    const x = borderIndex(roundHalfEven(Math.fround(x0 + dx * column)), width, mode);
    const y = borderIndex(roundHalfEven(Math.fround(y0 + dy * column)), height, mode);
    const beyond = x < 0 || y < 0;
    target.setUint32(to, beyond ? word : view.getUint32(start + y * stride + x * step, true), true);
  }
};

// one pixel to every side is kept free, for coordinates that single precision rounds outwards
export const nearest: WarpKernel = { before: 0, after: 1, inside, edge };
