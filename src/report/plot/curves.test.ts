import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { scratch } from '../../../test/e2e/tool.js';
import { madeHistory } from '../../../test/made-run.js';
import type { EpochResult } from '../../train/checkpoint.js';
import { workerEntry } from '../../worker-entry.js';
import { outlinedText } from '../charts/outlined-text.js';
import type { Curves } from './curves.js';
import { curvesPng } from './curves-png.js';
import { curvesSvg } from './curves-svg.js';
import { curvesTerminal } from './curves-terminal.js';

const run = (name: string, epochs = 9, speed?: number): Curves => ({
  name,
  model: 'resnet20',
  history: madeHistory(epochs, speed),
});

/** Numbers of the `d` of every line in a colour. */
function linesIn(svg: string, colour: string): number[][] {
  const found = svg.matchAll(
    new RegExp(`<path d="([^"]*)" fill="none" stroke="${colour}" stroke-width="2"`, 'g'),
  );
  return [...found].map(([, d = '']) => d.split(/[ML,]/).filter(Boolean).map(Number));
}

describe('curvesSvg', () => {
  it('draws training and validation of one run, and its learning rate', () => {
    const svg = curvesSvg([run('birds')]);
    for (const text of ['birds (resnet20)', 'Loss', 'Accuracy', 'Learning rate', 'Training', 'Validation']) {
      expect(svg).toContain(`>${text}</text>`);
    }
    const [loss = [], accuracy = [], rate = []] = linesIn(svg, '#0072b2');
    expect([loss.length, accuracy.length, rate.length]).toEqual([18, 18, 18]);
    expect(linesIn(svg, '#d55e00')).toHaveLength(2);
    // downwards is up
    expect(loss[1]).toBeLessThan(loss[17] as number);
    expect(accuracy[1]).toBeGreaterThan(accuracy[17] as number);
    expect(rate[9]).toBeGreaterThan(rate[7] as number);
  });

  it('gives each of several runs a colour, with training dashed', () => {
    const svg = curvesSvg([run('a'), run('b', 4)]);
    expect(linesIn(svg, '#0072b2').map(({ length }) => length)).toEqual([18, 18, 18, 18, 18]);
    expect(linesIn(svg, '#d55e00').map(({ length }) => length)).toEqual([8, 8, 8, 8, 8]);
    expect(svg.match(/stroke-linejoin="round" stroke-dasharray/g)).toHaveLength(4);
  });

  it('leaves gaps where nothing was measured, and shows a single epoch as a dot', () => {
    const history = madeHistory(5).map(
      (result): EpochResult => ({
        ...result,
        valLoss: result.epoch === 3 ? null : result.valLoss,
        valAccuracy: null,
      }),
    );
    const svg = curvesSvg([{ ...run('x'), history }]);
    expect(svg.match(/d="M[^M"]*M[^M"]*" fill="none" stroke="#d55e00"/g)).toHaveLength(1);
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(curvesSvg([run('one', 1)]).match(/<circle/g)).toHaveLength(5);
  });

  it('escapes the names of runs, also as outlines with letters that the font lacks', async () => {
    const name = '<script>&"漢';
    for (const text of [undefined, await outlinedText()]) {
      const svg = curvesSvg([run(name)], text);
      expect(svg).not.toContain('<script');
      expect(svg).toContain('&lt;script&gt;&amp;&quot;漢');
    }
  });
});

describe('curvesPng', () => {
  const { path, remove } = scratch();
  afterAll(remove);

  it('is the same picture on a machine without fonts', async () => {
    const runs = [run('Zürich Łódź Ωμέγα Москва'), run('b')];
    const png = await curvesPng(runs);
    writeFileSync(path('fonts.conf'), '<?xml version="1.0"?><fontconfig></fontconfig>');
    const script = `import { curvesPng } from ${JSON.stringify(workerEntry('report/plot/curves-png.js').href)};
      process.stdout.write(await curvesPng(${JSON.stringify(runs)}));`;
    const environment = { ...process.env, FONTCONFIG_FILE: path('fonts.conf'), FONTCONFIG_PATH: path() };
    const bare = execFileSync(process.execPath, ['--input-type=module', '-e', script], { env: environment });
    expect(Buffer.compare(bare, Buffer.from(png))).toBe(0);
    expect(await sharp(png).metadata()).toMatchObject({ format: 'png', width: 2464 });
    // the heading is there: dark on white
    const heading = sharp(png).extract({ left: 40, top: 30, width: 100, height: 40 }).greyscale();
    const { channels } = await heading.stats();
    expect(channels[0]?.min).toBeLessThan(60);
    expect(channels[0]?.max).toBe(255);
  });
});

describe('curvesTerminal', () => {
  const shown = (runs: Curves[], options: { columns?: number; colour?: boolean } = {}): string =>
    curvesTerminal(runs, { columns: 80, colour: true, ...options });

  it('draws the charts one below the other', () => {
    const text = stripVTControlCharacters(shown([run('birds')]));
    const titles = text.split('\n').filter((line) => /^[A-Z]/.test(line));
    expect(titles).toEqual([
      'Loss  ─ training  ─ validation',
      'Accuracy  ─ training  ─ validation',
      'Learning rate',
    ]);
    expect(text).toMatch(/5\.00┼[╮─]/);
    expect(text.match(/epoch 1 +9\n/g)).toHaveLength(3);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('without colours gives each line its own chart', () => {
    const text = shown([run('a'), run('b')], { colour: false });
    expect(text).toBe(stripVTControlCharacters(text));
    expect(text.match(/^(Loss|Accuracy|Learning rate) .*$/gm)).toHaveLength(10);
    expect(text).toContain('Loss  b validation');
  });

  it('draws a line that hardly moves', () => {
    const history = madeHistory(4).map((result, at) => ({ ...result, loss: 1e6 + 1e-9 * at, valLoss: 1e6 }));
    expect(shown([{ ...run('x'), history }])).toContain('Loss');
  });

  it('draws any history at any width', () => {
    const value = fc.option(fc.double({ noNaN: true, min: 0, max: 1e6 }));
    const results = fc.array(fc.tuple(value, value, fc.double({ noNaN: true, min: 0, max: 1 })), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(results, fc.integer({ min: 0, max: 300 }), fc.boolean(), (list, columns, colour) => {
        const history = list.map(
          ([loss, valLoss, learningRate], at): EpochResult => ({
            ...(madeHistory(1)[0] as EpochResult),
            ...{ epoch: at + 1, loss, valLoss, learningRate },
          }),
        );
        const text = stripVTControlCharacters(shown([{ ...run('x'), history }], { columns, colour }));
        expect(text).not.toMatch(/NaN|undefined|Infinity/);
        expect(text).toContain('Learning rate');
      }),
    );
  });
});
