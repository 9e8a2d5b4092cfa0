import { Command, CommanderError } from 'commander';
import pc from 'picocolors';
import { exitCodes, UserError } from '../errors.js';
import { followsAnother } from '../parallel/mpi/launch.js';
import { resnodeVersion } from '../version.js';
import { commands, commandsOfAllRanks } from './commands.js';

/** Runs one command line and sets the exit code; prints a user's mistake as one message without a stack. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    const program = new Command('resnode')
      .description('Train image classifiers from a folder of pictures, at native speed.')
      .version(resnodeVersion, '-V, --version')
      .showSuggestionAfterError()
      .exitOverride()
      .hook('preAction', (_, command) => {
        if (followsAnother() && !commandsOfAllRanks.has(command.name()))
          throw new CommanderError(0, 'resnode.follows', '');
      });
    for (const make of commands) {
      const command = await make();
      program.addCommand(command.copyInheritedSettings(program));
    }
    await program.parseAsync([...argv]);
  } catch (error) {
    process.exitCode = report(error);
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? 0 : exitCodes.usage;
  }
  const colours = pc.createColors(process.stderr.isTTY === true);
  if (error instanceof UserError) {
    process.stderr.write(`${colours.red('error:')} ${error.message}\n`);
    if (error.hint) process.stderr.write(`${colours.dim('hint:')}  ${error.hint}\n`);
    return error.exitCode;
  }
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.stderr.write('This is a defect of resnode. Please report it with the lines above.\n');
  return exitCodes.failure;
}
