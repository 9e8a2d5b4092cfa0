import type { Communicator } from './communicator.js';

/** Tells all members what the first one says that has something to say; every member calls it. */
export function shareText(communicator: Communicator, own: string | undefined): string | undefined {
  const lengths = new Float64Array(communicator.size);
  lengths[communicator.rank] = own?.length ?? 0;
  communicator.allReduce(lengths);
  const root = lengths.findIndex((length) => length > 0);
  if (root < 0) return undefined;
  const units = new Float64Array(lengths[root] as number);
  if (root === communicator.rank && own !== undefined) {
    units.forEach((_, index) => {
      units[index] = own.charCodeAt(index);
    });
  }
  communicator.broadcast(units, root);
  return Array.from(units, (unit) => String.fromCharCode(unit)).join('');
}
