import { describe, expect, it } from 'vitest';
import { createModel } from '../models/index.js';
import { summarizeModel } from '../models/summarize-model.js';
import { summaryTable } from './summary-table.js';

const resnet50 = summarizeModel(createModel({ name: 'resnet50', block: 'bn-conv-relu' }), { classes: 256 });

describe('summarize', () => {
  it("gives the original's table for its ResNet-50, with three blocks in the last stage", () => {
    const blocks = (output: number[], count: number) => new Array(count).fill(['ResNetBottleNeck', output]);
    expect(resnet50.rows.map(({ type, output }) => [type, output])).toEqual([
      ['ConvWithPreActivation', [64, 112, 112]],
      ['MaxPool2d', [64, 56, 56]],
      ...blocks([256, 56, 56], 3),
      ...blocks([512, 28, 28], 4),
      ...blocks([1024, 14, 14], 6),
      ...blocks([2048, 7, 7], 3),
      ['AdaptiveAvgPool2d', [2048, 1, 1]],
      ['Flatten', [2048]],
      ['Linear', [256]],
      ['LogSoftmax', [256]],
    ]);
    const [stem, pool, block] = resnet50.rows;
    expect(stem).toMatchObject({ window: { kernel: [7, 7], stride: [2, 2], padding: [3, 3] }, kernels: 64 });
    expect(pool).toMatchObject({
      window: { kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
      parameters: 0,
    });
    expect(pool).not.toHaveProperty('kernels');
    expect(block).not.toHaveProperty('window');
  });

  it('accounts for every parameter and operation in one row', () => {
    for (const name of ['resnet26', 'cifar-resnet164', 'alexnet', 'vgg13']) {
      for (const layers of [false, true]) {
        const { rows, parameters, flops } = summarizeModel(createModel({ name }), { classes: 10, layers });
        expect(rows.reduce((sum, row) => sum + row.parameters, 0)).toBe(parameters);
        expect(rows.reduce((sum, row) => sum + row.flops, 0)).toBeCloseTo(flops, 0);
      }
    }
  });

  it('counts the operations that the literature gives: ResNet-50 v2 4.1 G, VGG-13 11.3 G, ResNet-110 0.25 G', () => {
    const multiplyAdds = (name: string, classes: number) =>
      summarizeModel(createModel({ name }), { classes }).multiplyAdds;
    expect(multiplyAdds('resnet50', 1000) / 1e9).toBeCloseTo(4.1, 1);
    expect(multiplyAdds('vgg13', 1000) / 1e9).toBeCloseTo(11.3, 1);
    expect(multiplyAdds('cifar-resnet110', 10) / 1e9).toBeCloseTo(0.25, 2);
    const { flops, multiplyAdds: adds } = resnet50;
    expect(flops / (2 * adds)).toBeGreaterThan(1);
    expect(flops / (2 * adds)).toBeLessThan(1.02);
  });

  it('counts one convolution by hand', () => {
    const [stem] = summarizeModel(createModel({ name: 'resnet26' }), {
      classes: 10,
      size: 32,
      layers: true,
    }).rows;
    expect(stem).toMatchObject({ name: 'stem.conv', type: 'Conv2d', output: [64, 16, 16], parameters: 9408 });
    expect(stem?.flops).toBe(2 * 9408 * 16 * 16);
  });

  it('takes pictures down to one pixel, and says when they are too small', () => {
    const { rows } = summarizeModel(createModel({ name: 'resnet26' }), { classes: 10, size: 1 });
    expect(rows.at(-5)?.output).toEqual([1024, 1, 1]);
    expect(() => summarizeModel(createModel({ name: 'alexnet' }), { classes: 10, size: 66 })).toThrow(
      '66 px',
    );
  });
});

describe('summaryTable', () => {
  it('is plain aligned text with the totals', () => {
    const lines = summaryTable(resnet50).split('\n');
    expect(lines.slice(0, 5)).toEqual([
      'Layer type                Output size  Kernel size  # of kernels  Stride  Padding  Parameters',
      'Input Image             224 x 224 x 3',
      'ConvWithPreActivation  112 x 112 x 64            7            64       2        3       9,478',
      'MaxPool2d                56 x 56 x 64            3                     2        1',
      'ResNetBottleNeck        56 x 56 x 256                                                  74,752',
    ]);
    expect(lines).toContain('LogSoftmax                    1 x 256');
    const text = lines.join('\n');
    expect(text).toMatch(/^Parameters +24,047,366, all trainable \(96\.2 MB in f32\)$/m);
    expect(text).toMatch(
      /^FLOPs +8\.2\d G forward for one picture of 224 x 224, a multiply-add counted as two$/m,
    );
    expect(text).toMatch(/^Multiply-adds +4\.09 G /m);
  });

  it('names every layer where asked', () => {
    const summary = summarizeModel(createModel({ name: 'cifar-resnet8' }), { classes: 10, layers: true });
    const text = summaryTable(summary, { names: true });
    expect(text).toMatch(/^Name +Layer type/);
    expect(text).toMatch(/^stages\.1\.blocks\.0\.downsample\.conv +Conv2d +16 x 16 x 32 +1 +32 +2 +0 +512$/m);
  });
});
