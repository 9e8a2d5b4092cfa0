// Compiles wasm/pixels.ts (AssemblyScript) to dist/data/transforms/kernels/pixels.wasm, when it is older.
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const source = 'wasm/pixels.ts';
const target = 'dist/data/transforms/kernels/pixels.wasm';

const changed = (path) => statSync(path).mtimeMs;
const newest = Math.max(changed(source), changed('scripts/wasm.mjs'));
if (!existsSync(target) || changed(target) < newest) await compile();

async function compile() {
  const asc = await import('assemblyscript/asc');
  mkdirSync(dirname(target), { recursive: true });
  // builds may run side by side: none sees half a file
  const partial = `${target}.${process.pid}.tmp`;
  const { error, stderr } = await asc.main([
    source,
    ...['--outFile', partial, '-O3', '--runtime', 'stub', '--importMemory', '--noAssert'],
    ...['--memoryBase', '0', '--enable', 'simd'],
  ]);
  if (error) {
    console.error(stderr.toString());
    process.exit(1);
  }
  renameSync(partial, target);
}
