// `npm test`: everything that a fresh clone needs, then the tests. Arguments after `--` go to vitest.
import { provideChromium } from './chromium.mjs';
import { provideLibTorch } from './libtorch.mjs';
import { provideMpi } from './mpi.mjs';
import { prepare, run } from './prepare.mjs';
import { prepareTensorBoard } from './tensorboard.mjs';

prepare();
provideChromium();
provideMpi();
prepareTensorBoard();
provideLibTorch();
run('running the tests', process.execPath, [
  'node_modules/vitest/vitest.mjs',
  'run',
  ...process.argv.slice(2),
]);
