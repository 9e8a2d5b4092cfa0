import { exitCodes, UserError } from '../../errors.js';

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** The smallest that makes sense: a picture and the tar's own blocks. */
const smallest = 10_000;

/** Bytes of a size such as `256MB` or `1GiB`. @throws UserError when it is none */
export function shardSize(size: number | string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?i?b?)$/i.exec(String(size).trim());
  const unit = units[(match?.[2] ?? '?').toLowerCase()];
  const bytes = Math.floor(Number(match?.[1]) * (unit ?? Number.NaN));
  if (bytes >= smallest && bytes <= Number.MAX_SAFE_INTEGER) return bytes;
  throw new UserError(`shards cannot be of size ${JSON.stringify(size)}`, {
    exitCode: exitCodes.usage,
    hint: 'Give a number with a unit, e.g. 256MB or 1GB; at least 10kB.',
  });
}
