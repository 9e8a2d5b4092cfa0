import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { writeFileAtomic } from '../data/atomic-write.js';

/** Names the run that saved last, so that nobody has to compare times, which a clock set back makes wrong. */
const markerName = '.latest';

/** @param run folder of the run that has just saved */
export async function noteLatest(run: string): Promise<void> {
  const marker = join(dirname(run), markerName);
  const text = `${basename(run)}\n`;
  if ((await readFile(marker, 'utf8').catch(() => '')) !== text) await writeFileAtomic(marker, text);
}

/**
 * Name of the run that saved last; where nothing names it, the one whose last checkpoint has the newest time.
 * @returns undefined when no run below `runDir` has a checkpoint
 */
export async function latestRun(runDir: string): Promise<string | undefined> {
  const marker = await readFile(join(runDir, markerName), 'utf8').catch(() => '');
  const named = marker.trim();
  if (named && basename(named) === named && (await timeOf(runDir, named)) !== undefined) return named;
  const names = await readdir(runDir).catch(() => []);
  const runs = await Promise.all(names.map(async (name) => ({ name, time: await timeOf(runDir, name) })));
  const [latest] = runs
    .filter((each): each is { name: string; time: number } => each.time !== undefined)
    .sort((a, b) => b.time - a.time);
  return latest?.name;
}

function timeOf(runDir: string, name: string): Promise<number | undefined> {
  return stat(join(runDir, name, 'checkpoints', 'last')).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}
