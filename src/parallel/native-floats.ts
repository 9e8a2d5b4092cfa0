import koffi from 'koffi';
import type { FloatRange } from './communicator.js';

/** Floats of native memory as an array. They must stay where they are as long as it is used. */
export function floatsAt({ address, length }: FloatRange): Float32Array {
  const pointer = koffi.decode(new BigUint64Array([address]), 'void *') as unknown;
  return new Float32Array(koffi.view(pointer, length * 4));
}
