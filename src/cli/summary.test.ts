import { afterEach, describe, expect, it, vi } from 'vitest';
import { UserError } from '../errors.js';
import { modelNames } from '../models/index.js';
import { summaryCommand } from './summary.js';

afterEach(() => vi.restoreAllMocks());

async function run(...argv: string[]): Promise<string> {
  const written: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  const quiet = { writeErr: () => {} };
  await summaryCommand().exitOverride().configureOutput(quiet).parseAsync(argv, { from: 'user' });
  return written.join('');
}

describe('resnode summary', () => {
  it('prints the table of the model, by default resnet26 at 256 classes', async () => {
    const text = await run();
    expect(text).toMatch(/^resnet26, 256 classes\n\nLayer type/);
    expect(text).toMatch(/^Parameters +3,765,056/m);
  });

  it('takes stages, block, crop and classes', async () => {
    const text = await run(
      '--stages',
      '16x1,32x1',
      '--block',
      'bn-conv-relu',
      '--crop',
      '64',
      '--classes',
      '5',
    );
    expect(text).toMatch(/^resnet-16x1-32x1-bn-conv-relu, 5 classes\n/);
    expect(text).toMatch(/^Input Image +64 x 64 x 3$/m);
    expect(text).toMatch(/^LogSoftmax +1 x 5$/m);
  });

  it('prints JSON', async () => {
    const data = JSON.parse(await run('cifar-resnet20', '--classes', '10', '--json'));
    expect(data).toMatchObject({
      model: 'cifar-resnet20',
      family: 'resnet-cifar',
      depth: 20,
      block: 'basic',
    });
    expect(data).toMatchObject({ classes: 10, input: [3, 32, 32], parameters: 272_282 });
    expect(data.rows).toHaveLength(1 + 9 + 6);
  });

  it('lists every model in its help', () => {
    let help = '';
    const writeOut = (text: string) => {
      help += text;
    };
    summaryCommand().configureOutput({ writeOut }).outputHelp();
    for (const name of modelNames()) expect(help).toContain(name.replace('cifar-resnet', ''));
    expect(help).toContain('cifar-resnet<depth>');
  });

  it.each([
    [['resnet51'], "no model 'resnet51'"],
    [['resnet26', '--stages', '128x2'], 'has its own stages'],
    [['--stages', '128x2,'], "stage 2 of '128x2,'"],
    [['alexnet', '--crop', '64'], 'too small for alexnet'],
  ])('explains %j', async (argv, message) => {
    const failed = run(...argv);
    await expect(failed).rejects.toThrow(UserError);
    await expect(failed).rejects.toThrow(message);
  });

  it.each([
    [['--crop', '0'], 'at least 1'],
    [['--classes', 'many'], 'whole number'],
    [['--block', 'dense'], 'one of pre-activation, bn-conv-relu'],
  ])('refuses %j as a slip of the command line', async (argv, message) => {
    await expect(run(...argv)).rejects.toThrow(message);
  });
});
