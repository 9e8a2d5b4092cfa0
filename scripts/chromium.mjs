// Chromium for the tests in a browser. Only CI machines get it installed; elsewhere those tests are left out, and
// say so, when there is none.
import { spawnSync } from 'node:child_process';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const answers = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** On a CI machine with apt, and as root: installs Debian's Chromium if there is no such browser yet. */
export function provideChromium() {
  if (!process.env.CI || process.env.CHROMIUM || names.some((name) => answers(name, '--version'))) return;
  if (process.getuid?.() !== 0 || !answers('apt-get', '--version')) return;
  console.log('\n== getting Chromium for the tests in a browser');
  const apt = (...args) =>
    spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  apt('update');
  if (!apt('install', '-y', '--no-install-recommends', 'chromium')) {
    console.log('apt cannot install it: these tests are left out');
  }
}
