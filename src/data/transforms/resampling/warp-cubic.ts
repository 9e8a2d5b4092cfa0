import { borderIndex } from './border.js';
import { setCubicWeights } from './cubic-weights.js';
import type { EdgeKernel, InsideKernel, WarpKernel } from './warp-row.js';

const steps = 2048;

/** The weights of every fraction k / steps, four each. */
const table = new Float64Array(4 * (steps + 1));
for (let step = 0; step <= steps; step++) setCubicWeights(step / steps, table, 4 * step);

const inside: InsideKernel = ({ pixels, start, step, stride }, row, first, last) => {
  const { target } = row;
  for (let column = first, to = row.at + 3 * first; column < last; column++, to += 3) {
    const sourceX = row.x0 + row.dx * column;
    const sourceY = row.y0 + row.dy * column;
    const x = Math.floor(sourceX);
    const y = Math.floor(sourceY);
    const alongX = 4 * Math.round((sourceX - x) * steps);
    const alongY = 4 * Math.round((sourceY - y) * steps);
    const a = table[alongX] as number;
    const b = table[alongX + 1] as number;
    const c = table[alongX + 2] as number;
    const d = table[alongX + 3] as number;
    const from = start + (y - 1) * stride + (x - 1) * step;
    for (let channel = 0; channel < 3; channel++) {
      let sum = 0.5;
      for (let tap = 0, p = from + channel; tap < 4; tap++, p += stride) {
        const across =
          a * (pixels[p] as number) +
          b * (pixels[p + step] as number) +
          c * (pixels[p + 2 * step] as number) +
          d * (pixels[p + 3 * step] as number);
        sum += (table[alongY + tap] as number) * across;
      }
      target.setUint8(to + channel, Math.max(0, Math.min(255, sum)));
    }
  }
};

const edge: EdgeKernel = (source, row, first, last, { mode, word }) => {
  const { pixels, width, height, start, step, stride } = source;
  const { target } = row;
  for (let column = first, to = row.at + 3 * first; column < last; column++, to += 3) {
    const sourceX = row.x0 + row.dx * column;
    const sourceY = row.y0 + row.dy * column;
    const x = Math.floor(sourceX);
    const y = Math.floor(sourceY);
    const alongX = 4 * Math.round((sourceX - x) * steps);
    const alongY = 4 * Math.round((sourceY - y) * steps);
    for (let channel = 0; channel < 3; channel++) {
      const beyond = (word >> (8 * channel)) & 255;
      let sum = 0.5;
      for (let tapY = 0; tapY < 4; tapY++) {
        const indexY = borderIndex(y + tapY - 1, height, mode);
        const line = start + indexY * stride + channel;
        let across = 0;
        for (let tapX = 0; tapX < 4; tapX++) {
          const indexX = borderIndex(x + tapX - 1, width, mode);
          const value = indexX < 0 || indexY < 0 ? beyond : (pixels[line + indexX * step] as number);
          across += (table[alongX + tapX] as number) * value;
        }
        sum += (table[alongY + tapY] as number) * across;
      }
      target.setUint8(to + channel, Math.max(0, Math.min(255, sum)));
    }
  }
};

export const cubic: WarpKernel = { before: 1, after: 2, inside, edge };
