// What `npm start` and `npm test` have in common: packages, build, engine.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

/** Installs the packages if they are missing or older than the lock file, builds, and gets the engine's library. */
export function prepare() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Node ${process.versions.node} is too old: resnode needs 20.19 or newer`);
    process.exit(1);
  }
  const stamp = 'node_modules/.package-lock.json';
  if (!existsSync(stamp) || statSync(stamp).mtimeMs < statSync('package-lock.json').mtimeMs) {
    run('installing packages', npm(), ['ci', '--no-audit', '--no-fund']);
  }
  run('building', npm(), ['run', '--silent', 'build']);
  run('getting the engine', process.execPath, ['bin/resnode.js', 'setup']);
}

/** Runs one step under a heading; a failed step ends everything with its exit code. */
export function run(heading, command, args) {
  console.log(`\n== ${heading}`);
  const result = spawnSync(command, args, { stdio: 'inherit', shell: command === 'npm.cmd' });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function npm() {
  return process.platform === 'win32' ? 'npm.cmd' : 'npm';
}
