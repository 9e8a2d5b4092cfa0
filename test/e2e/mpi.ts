import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { type RunningTool, start } from './tool.js';

/** An MPI whose launcher is installed. */
export interface InstalledMpi {
  readonly name: string;
  /** Starts the tool as so many ranks. */
  start(ranks: number, args: readonly string[]): RunningTool;
  /** Starts a program in the place of the tool. */
  startProgram(ranks: number, file: string): RunningTool;
  /** Starts the tool with arguments of its own at each rank. */
  startEach(args: ReadonlyArray<readonly string[]>): RunningTool;
}

const known = [
  {
    name: 'Open MPI',
    command: 'mpirun.openmpi',
    // as many ranks as are asked for on however few cores, and as root in a container
    options: ['--allow-run-as-root', '--oversubscribe', '--bind-to', 'none'],
  },
  { name: 'MPICH', command: 'mpirun.mpich', options: [] },
];

/** The MPIs of this machine. */
export function installedMpis(): InstalledMpi[] {
  return known
    .filter(({ command }) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0)
    .map(({ name, command, options }) => {
      const launch = (groups: ReadonlyArray<{ ranks: number; args: readonly string[] }>): RunningTool => {
        const parts = groups.map(({ ranks, args }, index) => [
          ...(index > 0 ? [':'] : []),
          ...['-np', String(ranks), process.execPath, ...args],
        ]);
        return start([...options, ...parts.flat()], {}, command);
      };
      return {
        name,
        start: (ranks, args) => launch([{ ranks, args: [tool, ...args] }]),
        startProgram: (ranks, file) => launch([{ ranks, args: [file] }]),
        startEach: (each) => launch(each.map((args) => ({ ranks: 1, args: [tool, ...args] }))),
      };
    });
}

const tool = new URL('../../bin/resnode.js', import.meta.url).pathname;

/** Process ids of the ranks that train a project, in their order. */
export function ranksOf(project: string): number[] {
  const ranks: number[] = [];
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const words = wordsOf(`/proc/${entry}/cmdline`);
    if (!words[0]?.endsWith('node') || !words.includes(project)) continue;
    const said = wordsOf(`/proc/${entry}/environ`).find((word) =>
      /^(OMPI_COMM_WORLD_RANK|PMI_RANK)=/.test(word),
    );
    if (said) ranks[Number(said.split('=')[1])] = Number(entry);
  }
  return ranks;
}

/** Of a process that has just ended, none. */
function wordsOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\0');
  } catch {
    return [];
  }
}
