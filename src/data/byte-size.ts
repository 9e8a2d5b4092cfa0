import { exitCodes, UserError } from '../errors.js';

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** Bytes of a size such as `256MB` or `1GiB`; undefined when it is none. */
export function parseByteSize(size: number | string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?i?b?)$/i.exec(String(size).trim());
  const bytes = Math.floor(Number(match?.[1]) * (units[(match?.[2] ?? '?').toLowerCase()] ?? Number.NaN));
  return bytes <= Number.MAX_SAFE_INTEGER ? bytes : undefined;
}

/**
 * Bytes of a size such as `256MB` or `1GiB`.
 * @param owner what has this size, for the message
 * @throws UserError when it is none, or below `smallest`
 */
export function byteSize(
  size: number | string,
  { owner, smallest, example }: { owner: string; smallest: number; example: string },
): number {
  const bytes = parseByteSize(size);
  if (bytes !== undefined && bytes >= smallest) return bytes;
  throw new UserError(`${owner} cannot be of size ${JSON.stringify(size)}`, {
    exitCode: exitCodes.usage,
    hint: `Give a number with a unit, e.g. ${example}; at least ${smallest / 1000}kB.`,
  });
}
