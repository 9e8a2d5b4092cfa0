import { spawnSync } from 'node:child_process';

/** Worker threads load compiled files, so the tests of threads need `dist/` to be up to date. */
export default function build(): void {
  const wasm = spawnSync(process.execPath, ['scripts/wasm.mjs'], { stdio: 'inherit' });
  if (wasm.status !== 0) throw new Error('the build failed');
  for (const project of ['tsconfig.build.json', 'tsconfig.browser.json']) {
    const result = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], {
      stdio: 'inherit',
    });
    if (result.status !== 0) throw new Error('the build failed');
  }
}
