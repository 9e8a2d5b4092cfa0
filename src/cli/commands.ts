import type { Command } from 'commander';

/** Every command of the tool, in the order that `--help` shows them. One file and one line each. */
export const commands: ReadonlyArray<() => Promise<Command>> = [];
