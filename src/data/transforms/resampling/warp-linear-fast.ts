import { linear } from './warp-linear.js';
import type { EdgeKernel, InsideKernel, WarpKernel } from './warp-row.js';

const inside: InsideKernel = ({ kernels, address, start, step, stride }, row, first, last) => {
  if (first === last) return;
  const { targetAddress, at, x0, dx, y0, dy } = row;
  kernels?.loops.warpInside(address + start, step, stride, targetAddress + at, x0, dx, y0, dy, first, last);
};

const edge: EdgeKernel = (source, row, first, last, border) => {
  if (first === last) return;
  const { mode, word } = border;
  if (mode !== 'replicate' && mode !== 'constant') {
    linear.edge(source, row, first, last, border);
    return;
  }
  const { kernels, address, start, step, stride, width, height } = source;
  const { targetAddress, at, x0, dx, y0, dy } = row;
  const from = address + start;
  const to = targetAddress + at;
  const constant = mode === 'constant';
  kernels?.loops.warpEdge(from, step, stride, width, height, to, x0, dx, y0, dy, first, last, constant, word);
};

/** `linear` in WebAssembly, for a source and a target that the same kernels reach. */
export const linearFast: WarpKernel = { ...linear, inside, edge };
