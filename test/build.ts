import { spawnSync } from 'node:child_process';

/** Worker threads load compiled files, so the tests of threads need `dist/` to be up to date. */
export default function build(): void {
  const typescript = 'node_modules/typescript/bin/tsc';
  const steps = [
    ['scripts/wasm.mjs'],
    [typescript, '-p', 'tsconfig.build.json'],
    [typescript, '-p', 'tsconfig.browser.json'],
  ];
  for (const step of steps) {
    const { status } = spawnSync(process.execPath, step, { stdio: 'inherit' });
    if (status !== 0) throw new Error('the build failed');
  }
}
