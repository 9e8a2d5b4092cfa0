import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** What lies in a folder that a configuration is to be written for. */
export interface Surroundings {
  /** A prepared dataset: the folder itself (`.`) or one in it. */
  readonly dataset: string | undefined;
  /** A folder with a folder of pictures per class. */
  readonly pictures: { readonly folder: string; readonly classes: readonly string[] } | undefined;
  /** Names that are taken. */
  readonly names: ReadonlySet<string>;
}

const picture = /\.(jpe?g|png|webp|gif|tiff?|avif)$/i;
/** Folders that are looked into, and files of each: enough to know one by. */
const mostFolders = 200;
const mostFiles = 100;

/** Looks at a folder and those in it, no deeper than a class. */
export async function lookAround(folder: string): Promise<Surroundings> {
  const here = await list(folder);
  const names = new Set(here.map(({ name }) => name));
  const candidates = ['.', ...folders(here)].slice(0, mostFolders);
  const datasets: string[] = [];
  for (const name of candidates) {
    const inside = name === '.' ? here : await list(join(folder, name));
    if (inside.some((entry) => entry.name === 'dataset.json')) datasets.push(name);
  }
  for (const name of candidates) {
    if (datasets.includes(name)) continue;
    const classes = (await classFolders(join(folder, name))).filter(
      // the folder that holds a dataset is no class of pictures
      (each) => name !== '.' || !datasets.includes(each),
    );
    if (classes.length > 1) return { dataset: datasets[0], pictures: { folder: name, classes }, names };
  }
  return { dataset: datasets[0], pictures: undefined, names };
}

/** Folders that hold pictures. */
async function classFolders(folder: string): Promise<string[]> {
  const all = folders(await list(folder));
  const found: string[] = [];
  for (const name of all.slice(0, mostFolders)) {
    const files = await list(join(folder, name));
    if (files.slice(0, mostFiles).some((entry) => picture.test(entry.name))) found.push(name);
  }
  // where the first ones are, the rest are taken to be
  return found.length > 0 ? [...found, ...all.slice(mostFolders)] : [];
}

function folders(entries: readonly Dirent[]): string[] {
  return entries
    .filter((entry) => entry.isDirectory() && !/^\.|^(node_modules|runs)$/.test(entry.name))
    .map(({ name }) => name)
    .sort();
}

/** What cannot be read is empty. */
async function list(folder: string): Promise<Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(() => []);
}
