import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../../errors.js';
import type { Release } from './release.js';

export interface PipOptions {
  release: Pick<Release, 'project' | 'version' | 'bytes'>;
  /** What it is called in messages. Default: oneDNN. */
  name?: string;
  /** What to do where pip cannot help, as the end of a sentence. */
  byHand?: string;
  /** For a wheel of a certain Python and platform, whatever pip runs on: more options of `pip download`. */
  target?: readonly string[];
  /** An empty folder for the wheel. */
  folder: string;
  env: NodeJS.ProcessEnv;
  onProgress: (message: string) => void;
}

const commands = [['python3', '-m', 'pip'], ['pip3'], ['pip']] as const;
const oneDnnByHand = 'or set RESNODE_ONEDNN to a libdnnl.so.3 of oneDNN 3';

/**
 * Fetches the wheel with the machine's own pip, from wherever that user's pip is set up to fetch.
 * @returns the wheel's path; it is not verified yet
 * @throws {UserError} there is no pip, or it failed; with pip's own last words
 */
export async function downloadWheel(options: PipOptions): Promise<string> {
  const { release, folder, env, onProgress, name = 'oneDNN', byHand = oneDnnByHand, target = [] } = options;
  const pip = await findPip(env, name, byHand);
  const wanted = `${release.project}==${release.version}`;
  const what = `getting ${name} (${wanted}, ${Math.round(release.bytes / 1e6)} MB) with ${pip.command.join(' ')}`;
  onProgress(what);
  const [program, ...first] = pip.command;
  const args = [
    ...[...first, 'download', '--no-deps', '--no-input', '--disable-pip-version-check'],
    // a source package would run code before its hash is checked
    ...['--only-binary', ':all:', '--progress-bar', pip.hasRawProgress ? 'raw' : 'off'],
    ...[...target, '--dest', folder, wanted],
  ];
  const result = await run(program, args, env, (line) => {
    const [, done, total] = /^Progress (\d+) of (\d+)$/.exec(line) ?? [];
    if (Number(total) > 0) onProgress(`${what}: ${Math.floor((100 * Number(done)) / Number(total))} %`);
  });
  if (result?.code !== 0) {
    throw new UserError(`${pip.command.join(' ')} could not get ${wanted}: ${lastWords(result)}`, {
      hint: `see that \`${pip.command.join(' ')} download --no-deps ${wanted}\` works, ${byHand}`,
    });
  }
  const wheels = (await readdir(folder)).filter((name) => name.endsWith('.whl'));
  const [wheel] = wheels;
  if (wheel === undefined || wheels.length > 1) {
    throw new UserError(
      `${pip.command.join(' ')} ended well, but brought ${wheels.length} wheels instead of 1`,
      {
        hint: `look at pip's configuration (pip config list), ${byHand}`,
      },
    );
  }
  return join(folder, wheel);
}

interface Pip {
  command: readonly [string, ...string[]];
  /** pip 24.1 and later tells how far it is in a form for programs. */
  hasRawProgress: boolean;
}

async function findPip(env: NodeJS.ProcessEnv, name: string, byHand: string): Promise<Pip> {
  for (const command of commands) {
    const [program, ...first] = command;
    const result = await run(program, [...first, '--version'], env);
    if (result?.code !== 0) continue;
    const [, major, minor] = /^pip (\d+)\.(\d+)/m.exec(result.stdout) ?? [];
    return { command, hasRawProgress: Number(major) * 100 + Number(minor) >= 2401 };
  }
  throw new UserError(`${name} is not on this machine, and there is no pip to get it with`, {
    hint: `install pip (\`apt install python3-pip\` on Debian and Ubuntu, \`dnf install python3-pip\` on Fedora), ${byHand}`,
  });
}

interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program; undefined if there is none of that name. */
function run(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  onLine?: (line: string) => void,
): Promise<Finished | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (onLine) for (const line of text.split('\n')) onLine(line.trim());
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', () => resolve(undefined));
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** pip's own reason: its last line that says ERROR, else, as after an exception's trace, its last line. */
function lastWords(result: Finished | undefined): string {
  const lines = (result?.stderr ?? '').split('\n').flatMap((line) => line.trim() || []);
  const error = lines.findLast((line) => /^ERROR: (?!Exception:)/.test(line));
  return error?.slice('ERROR: '.length) ?? lines.at(-1) ?? `it ended with code ${result?.code ?? 'none'}`;
}
