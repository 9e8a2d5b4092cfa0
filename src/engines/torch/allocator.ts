import koffi from 'koffi';

// parameters of mallopt in glibc's malloc.h
const trimThreshold = -1;
const topPad = -2;
const mmapMax = -4;

/**
 * Has glibc keep the memory that tensors free, instead of handing it back to the system and touching new memory at
 * every step: what users of PyTorch reach by MALLOC_MMAP_MAX_=0, MALLOC_TRIM_THRESHOLD_ and MALLOC_TOP_PAD_. Holds
 * for the whole process; other C libraries are left alone. What the environment says goes before.
 */
export function keepFreedMemory(env: NodeJS.ProcessEnv = process.env): void {
  if (process.platform !== 'linux') return;
  const settings = [
    [mmapMax, 0, 'MALLOC_MMAP_MAX_'],
    [trimThreshold, 2 ** 31 - 1, 'MALLOC_TRIM_THRESHOLD_'],
    [topPad, 2 ** 28, 'MALLOC_TOP_PAD_'],
  ] as const;
  try {
    const mallopt = koffi.load('libc.so.6').func('int mallopt(int, int)');
    for (const [parameter, value, name] of settings) if (env[name] === undefined) mallopt(parameter, value);
  } catch {
    // not glibc: nothing to set
  }
}
