// TensorBoard for the tests that read our event files back with it, in a Python environment below node_modules.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const environment = 'node_modules/.cache/tensorboard';
const requirements = 'test/tensorboard/requirements.txt';

/** Installs what the tests need, once. Without Python, or without a network, they say that they are skipped. */
export function prepareTensorBoard() {
  const stamp = join(environment, 'installed.txt');
  const wanted = readFileSync(requirements, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.log('\n== installing TensorBoard for the tests');
  const base = ['python3', 'python'].find((name) => succeeds(name, ['-c', 'import venv, ensurepip']));
  if (!base) {
    console.log('no Python with venv and pip here: the tests that read back with TensorBoard are skipped');
    return;
  }
  rmSync(environment, { recursive: true, force: true });
  const python = join(environment, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const done =
    succeeds(base, ['-m', 'venv', environment]) &&
    succeeds(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
  if (done) writeFileSync(stamp, wanted);
  else console.log('it cannot be installed: the tests that read back with it are skipped');
}

function succeeds(command, args) {
  return spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
}
