// LibTorch for the tests of the torch engine. CI machines get it if they have none (0.6 GB); elsewhere these tests
// are left out, and say so, where there is none.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const note = 'node_modules/.cache/libtorch.txt';

/** Notes for the tests where LibTorch lies. Needs the build. */
export function provideLibTorch() {
  rmSync(note, { force: true });
  if (process.env.CI) console.log('\n== getting LibTorch for the tests of the torch engine');
  const flags = ['--engine', 'torch', '--json', ...(process.env.CI ? [] : ['--no-download'])];
  const { status, stdout } = spawnSync(process.execPath, ['bin/resnode.js', 'setup', ...flags], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', process.env.CI ? 'inherit' : 'ignore'],
  });
  if (status !== 0) {
    console.log(
      '\nno LibTorch here: the tests of the torch engine are skipped (resnode setup --engine torch gets it)',
    );
    return;
  }
  mkdirSync(dirname(note), { recursive: true });
  writeFileSync(note, JSON.parse(stdout).folder);
}
