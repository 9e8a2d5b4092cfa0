import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { commands } from './commands.js';

/** All that `--help` prints. */
function helpOf(command: Command): string {
  const parts: string[] = [];
  command.configureOutput({ writeOut: (part) => void parts.push(part) }).outputHelp();
  return parts.join('');
}

/** Examples of a command's help: what stands after `$ resnode`, lines that go on joined. */
function examplesOf(command: Command): string[] {
  const joined = helpOf(command).replaceAll(/\\\n\s*/g, '');
  return [...joined.matchAll(/^ *\$ resnode (.+)$/gm)].map(([, words = '']) => words.trim());
}

/** Words as a shell takes them apart, without what it does itself (`> file`, `&& ...`). */
function wordsOf(line: string): string[] {
  const [said = ''] = line.split(/ (?:>|&&) /);
  return [...said.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );
}

/** The whole tool, whose commands say what they were told and do nothing. */
async function program(): Promise<{ program: Command; told: string[] }> {
  const told: string[] = [];
  const whole = new Command('resnode').exitOverride().configureOutput({ writeErr: () => {} });
  for (const make of commands) {
    const command = await make();
    whole.addCommand(command.copyInheritedSettings(whole).action(() => void told.push(command.name())));
  }
  return { program: whole, told };
}

const all = await Promise.all(commands.map((make) => make()));

describe.each(all.map((command) => [command.name(), command] as const))('%s --help', (name, command) => {
  it('has examples of the command that the command line takes', async () => {
    const examples = examplesOf(command);
    expect(examples.filter((example) => wordsOf(example)[0] === name).length).toBeGreaterThan(0);
    for (const example of examples) {
      const { program: tool, told } = await program();
      await expect(tool.parseAsync(wordsOf(example), { from: 'user' }), example).resolves.toBeDefined();
      expect(told).toEqual([wordsOf(example)[0]]);
    }
  });

  it('names no flag that there is not', () => {
    const known = new Set(all.flatMap(({ options }) => options.flatMap(({ long, short }) => [long, short])));
    const ofOthers = ['--help', '--logdir', '--hostfile'];
    const named = helpOf(command).match(/(?<![\w-])--[a-z][a-z-]+/g) ?? [];
    expect(named.filter((flag) => !known.has(flag) && !ofOthers.includes(flag))).toEqual([]);
  });
});

it('words of a shell are taken apart', () => {
  expect(wordsOf(`audit 'a b' "c d" --x=1 > out.json`)).toEqual(['audit', 'a b', 'c d', '--x=1']);
});
