// Open MPI and MPICH for the tests with several ranks. Only CI machines get them installed; elsewhere those tests are
// left out, and say so, when there is none.
import { spawnSync } from 'node:child_process';

const answers = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** On a CI machine with apt, and as root: installs Debian's packages of both where they are missing. */
export function provideMpi() {
  const missing = [
    ['openmpi-bin', 'mpirun.openmpi'],
    ['mpich', 'mpirun.mpich'],
  ].filter(([, command]) => !answers(command, '--version'));
  if (!process.env.CI || missing.length === 0) return;
  if (process.getuid?.() !== 0 || !answers('apt-get', '--version')) return;
  console.log('\n== getting MPI for the tests with several ranks');
  const apt = (...args) =>
    spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  apt('update');
  const packages = missing.map(([name]) => name);
  if (!apt('install', '-y', '--no-install-recommends', ...packages)) {
    console.log('apt cannot install it: these tests are left out');
  }
}
