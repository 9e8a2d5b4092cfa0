import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FindInternals, FindOptions } from '../index.js';
import type { Release } from '../release.js';
import { tinyLibrary } from './tiny-library.js';
import { writeZip } from './zip-writer.js';

const documents = ['x.data/data/share/LICENSE', 'x.data/data/share/THIRD-PARTY'];
const member = 'x.data/data/lib/libdnnl.so.3';

/** A temporary folder that stands for a machine: a cache, programs on the PATH, a wheel that its pip can bring. */
export class TestMachine {
  readonly root = mkdtempSync(join(tmpdir(), 'resnode-library-'));
  readonly cacheDir = join(this.root, 'cache');
  readonly programs = join(this.root, 'bin');
  readonly wheel = join(this.root, 'onednn_cpu_gomp-1.0-py3-none-any.whl');
  readonly release: Release;

  constructor(library: Buffer = tinyLibrary()) {
    mkdirSync(this.programs);
    const [licence = '', third = ''] = documents;
    writeFileSync(
      this.wheel,
      writeZip({ [licence]: Buffer.from('terms'), [third]: Buffer.from('others'), [member]: library }),
    );
    const bytes = readFileSync(this.wheel);
    this.release = {
      project: 'onednn-cpu-gomp',
      version: '1.0',
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
      library: member,
      documents,
    };
  }

  /** Where the cached library lies. */
  get cached(): string {
    return join(this.cacheDir, 'onednn', '1.0', 'libdnnl.so.3');
  }

  /** Everything in the cache folder of the engine; a set-up must leave neither a lock nor work behind. */
  get cacheContents(): string[] {
    const folder = join(this.cacheDir, 'onednn');
    return existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort() : [];
  }

  /** How often the wheel was asked for. */
  get downloads(): number {
    const log = join(this.root, 'downloads.log');
    return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').length : 0;
  }

  get options(): FindOptions & { env: NodeJS.ProcessEnv } {
    return { cacheDir: this.cacheDir, env: { PATH: this.programs, HOME: this.root } };
  }

  get internals(): FindInternals {
    return {
      release: this.release,
      platform: { platform: 'linux', arch: 'x64' },
      glibc: true,
      systemLibraries: () => [],
      lock: { beat: 50, stale: 500 },
    };
  }

  /**
   * Puts a pip on the PATH: `python3 -m pip`, or a program of another name.
   * @param download shell commands; the wheel belongs into `"$dest"`
   */
  addPip(download: string, { name = 'python3', version = '23.0.1' } = {}): void {
    const isModule = name === 'python3' ? '[ "$1 $2" = "-m pip" ] || exit 64; shift 2' : '';
    const script = [
      '#!/bin/sh',
      'PATH=/usr/bin:/bin',
      isModule,
      `if [ "$1" = --version ]; then echo 'pip ${version} from here (python 3.11)'; exit 0; fi`,
      '[ "$1" = download ] || exit 64',
      `echo "$@" >> '${join(this.root, 'downloads.log')}'`,
      'while [ $# -gt 0 ]; do [ "$1" = --dest ] && dest=$2; shift; done',
      download,
    ];
    this.addProgram(name, script.join('\n'));
  }

  /** What a pip does that works. */
  get bringWheel(): string {
    return `cp '${this.wheel}' "$dest"`;
  }

  addProgram(name: string, script: string): void {
    const file = join(this.programs, name);
    writeFileSync(file, `${script}\n`);
    chmodSync(file, 0o755);
  }

  write(path: string, content: Buffer | string): string {
    const file = join(this.root, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, content);
    return file;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
