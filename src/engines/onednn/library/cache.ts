import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { syncFolder } from '../../../data/atomic-write.js';
import { hasEnded, pidSpace } from './lock.js';
import type { Release } from './release.js';
import { ZipArchive } from './zip.js';

/** resnode's folder among the user's caches: XDG on Linux, what is usual elsewhere. */
export function defaultCacheDir(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const home = env.HOME || homedir();
  const xdg = env.XDG_CACHE_HOME;
  // the XDG specification: a relative path is to be ignored
  if (xdg && isAbsolute(xdg)) return join(xdg, 'resnode');
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'resnode');
  if (platform === 'win32')
    return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'resnode', 'cache');
  return join(home, '.cache', 'resnode');
}

const stampSchema = z.object({
  project: z.string(),
  version: z.string(),
  sha256: z.string(),
  bytes: z.number(),
});
const stampName = 'complete.json';
const workPrefix = '.setup-';
const abandonedAfter = 24 * 3600 * 1000;

/** The place of one release below the cache folder. */
export class LibraryCache {
  /** Where the library lies, or will. */
  readonly path: string;
  readonly #release: Release;
  readonly #parent: string;
  readonly #folder: string;

  constructor(cacheDir: string, release: Release) {
    this.#release = release;
    this.#parent = join(cacheDir, 'onednn');
    this.#folder = join(this.#parent, release.version);
    this.path = join(this.#folder, basename(release.library));
  }

  get lockPath(): string {
    return join(this.#parent, '.lock');
  }

  /** Whether the library is there and whole: its stamp is written last, and tells the wheel and the size. */
  async isComplete(): Promise<boolean> {
    const { project, version, sha256 } = this.#release;
    try {
      const stamp = stampSchema.parse(JSON.parse(await readFile(join(this.#folder, stampName), 'utf8')));
      const { size } = await stat(this.path);
      return (
        stamp.project === project &&
        stamp.version === version &&
        stamp.sha256 === sha256 &&
        stamp.bytes === size
      );
    } catch {
      return false;
    }
  }

  async makeFolder(): Promise<void> {
    await mkdir(this.#parent, { recursive: true });
  }

  /** Gives `work` a folder of its own beside the cached release, and removes it afterwards. */
  async withWorkFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
    await this.#removeAbandoned();
    const folder = await mkdtemp(join(this.#parent, `${workPrefix}${process.pid}@${pidSpace()}-`));
    try {
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /**
   * Unpacks the library and its licences into the cache. All files are written and synced in `workFolder` and then
   * renamed into place, the stamp last: nobody ever sees a part, and doing it twice at once is harmless.
   */
  async install(wheel: Buffer, workFolder: string): Promise<void> {
    const { project, version, sha256, library, documents } = this.#release;
    const archive = new ZipArchive(wheel);
    const unpacked = await mkdtemp(join(workFolder, 'unpacked-'));
    for (const member of [...documents, library]) {
      await writeSynced(join(unpacked, basename(member)), await archive.read(member));
    }
    const { size: bytes } = await stat(join(unpacked, basename(library)));
    await writeSynced(join(unpacked, stampName), `${JSON.stringify({ project, version, sha256, bytes })}\n`);
    await mkdir(this.#folder, { recursive: true });
    for (const member of [...documents, library]) await this.#place(unpacked, basename(member));
    // the stamp must not reach the disk before what it vouches for
    await syncFolder(this.#folder);
    await this.#place(unpacked, stampName);
    await syncFolder(this.#folder);
  }

  async #place(from: string, name: string): Promise<void> {
    await rename(join(from, name), join(this.#folder, name));
  }

  /** Work folders that killed set-ups left behind. */
  async #removeAbandoned(): Promise<void> {
    for (const name of await readdir(this.#parent)) {
      if (!name.startsWith(workPrefix)) continue;
      const folder = join(this.#parent, name);
      const [, pid, space] = /^(\d+)@(.*)-[^-]*$/.exec(name.slice(workPrefix.length)) ?? [];
      const found = await stat(folder).catch(() => undefined);
      const old = found !== undefined && Date.now() - found.mtimeMs > abandonedAfter;
      if (old || (space !== undefined && hasEnded(Number(pid), space)))
        await rm(folder, { recursive: true, force: true });
    }
  }
}

async function writeSynced(path: string, content: Buffer | string): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
