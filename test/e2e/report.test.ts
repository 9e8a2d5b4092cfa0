import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDataset } from '../../src/data/dataset.js';
import type { Report } from '../../src/report/report.js';
import { run, scratch, writePictures } from './tool.js';

const { path, remove } = scratch();
const runs = ['--run-dir', path('runs')];
const engine = ['--threads', '1', '--workers', '1'];

beforeAll(async () => {
  await writePictures(path('pictures'), ['ça va', '<b>dog', 'zébu, grey'], 30);
  await run('preprocess', path('pictures'), '--out', path('data'), '--size', '40', '--val-split', '0.4');
  const small = ['--stages', '32x1', '--crop', '32', '--batch-size', '8', ...engine];
  const trained = await run(
    'train',
    '--data',
    path('data'),
    '--project',
    'good',
    '--epochs',
    '3',
    ...small,
    ...runs,
  );
  expect(trained.status, trained.stderr).toBe(0);
}, 180_000);
afterAll(remove);

const readReport = (folder: string): Report => JSON.parse(readFileSync(path(folder, 'report.json'), 'utf8'));

describe('test --report', () => {
  it('writes both files into the run folder, with what the test measured', async () => {
    const outcome = await run('test', '--project', 'good', '--report', '--json', ...runs, ...engine);
    expect(outcome.status, outcome.stderr).toBe(0);
    const measured = JSON.parse(outcome.stdout);
    const report = readReport('runs/good');
    expect(measured.report).toEqual({
      html: path('runs', 'good', 'report.html'),
      json: path('runs', 'good', 'report.json'),
    });
    expect(report).toMatchObject({ images: 36, epoch: 3, model: measured.model, loss: measured.loss });
    expect(report.top1.percent).toBeCloseTo(measured.top1, 10);
    expect(report.top5).toEqual({ correct: 36, percent: 100, low: expect.any(Number), high: 100 });
    expect(report.top1.low).toBeLessThan(report.top1.percent);
    const { val } = await readDataset(path('data'));
    const support = report.classes.map(({ id }) => val.filter(({ label }) => label === id).length);
    expect(report.classes.map((each) => each.support)).toEqual(support);
    expect(report.confusion.reduce((sum, [, , count]) => sum + count, 0)).toBe(36);
    expect(report.calibration.bins.reduce((sum, { count }) => sum + count, 0)).toBe(36);
    expect(report.history).toHaveLength(3);
    const page = readFileSync(path('runs', 'good', 'report.html'), 'utf8');
    expect(page).toContain('&lt;b&gt;dog');
    expect(page).not.toContain('<b>dog');
    expect(page).not.toMatch(/(src|href)="(?!data:|#)/);
    expect(readdirSync(path('runs', 'good')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('takes another folder, names what it rejected, and the run goes on as before', async () => {
    const { val } = await readDataset(path('data'));
    const file = path('data', val[0]?.file ?? '');
    renameSync(file, path('kept.jpg'));
    const elsewhere = path('new', 'folder');
    const outcome = await run('test', '--project', 'good', '--report', elsewhere, ...runs, ...engine);
    renameSync(path('kept.jpg'), file);
    expect(outcome.status, outcome.stderr).toBe(0);
    expect(outcome.stdout).toContain(`Report: ${elsewhere}/report.html\n`);
    expect(readReport('new/folder')).toMatchObject({ images: 35, rejected: [{ file: val[0]?.file }] });
    const resumed = await run('train', '--project', 'good', '--epochs', '4', ...engine, ...runs);
    expect(resumed.status, resumed.stderr).toBe(0);
    expect(existsSync(path('runs', 'good', 'report.html'))).toBe(true);
  });

  it('refuses a folder that cannot be made, before it measures', async () => {
    writeFileSync(path('file'), '');
    const outcome = await run('test', '--project', 'good', '--report', path('file', 'x'), ...runs, ...engine);
    expect(outcome.stderr).toMatch(/^error: cannot write a report into .*file.x/m);
    expect(outcome.status).toBe(1);
    const taken = await run('test', '--project', 'good', '--report', path('file'), ...runs, ...engine);
    expect(taken.stderr).toMatch(/^error: cannot write a report into .*file: a file/m);
    expect(taken.status).toBe(1);
  });
});

describe('plot', () => {
  it('draws into a picture, and into the terminal', async () => {
    const svg = await run('plot', path('runs', 'good'), '--out', path('curves.svg'));
    expect([svg.status, svg.stdout]).toEqual([0, '']);
    expect(readFileSync(path('curves.svg'), 'utf8')).toMatch(/^<svg xmlns=.*good \(resnet-32x1/s);
    const png = await run('plot', 'good', 'good', '--out', path('curves.PNG'), '--terminal', ...runs);
    expect(png.status, png.stderr).toBe(0);
    expect((await sharp(path('curves.PNG')).metadata()).format).toBe('png');
    expect(png.stdout).toMatch(/^Loss {2}good training$/m);
    expect((await run('plot', 'good', ...runs)).stdout).toContain('Learning rate');
  });

  it('says what is wrong', async () => {
    const gif = await run('plot', 'good', '--out', 'x.gif', ...runs);
    expect([gif.status, gif.stderr]).toEqual([2, expect.stringMatching(/x\.gif[\s\S]*\.svg or \.png/)]);
    const gone = await run('plot', 'goad', ...runs);
    expect([gone.status, gone.stderr]).toEqual([
      1,
      expect.stringMatching(/'goad'[\s\S]*did you mean 'good'/),
    ]);
    const nowhere = await run('plot', 'good', '--out', path('none', 'x.svg'), ...runs);
    expect([nowhere.status, nowhere.stderr]).toEqual([1, expect.stringMatching(/cannot write .*x\.svg/)]);
  });
});

describe('compare', () => {
  it('prints the table, as Markdown and as JSON too', async () => {
    const table = await run('compare', path('runs', 'good'));
    expect(table.stdout).toMatch(/^Architecture +Epochs .*\n─.*\nresnet-32x1\S* +\d /);
    expect((await run('compare', 'good', '--markdown', ...runs)).stdout).toMatch(
      /^\| Architecture \| Epochs/,
    );
    const rows = JSON.parse((await run('compare', 'good', '--json', ...runs)).stdout);
    expect(rows).toMatchObject([{ run: 'good', validationAccuracy: expect.any(Number) }]);
    expect((await run('compare', 'good', '--json', '--markdown', ...runs)).status).toBe(2);
    rmSync(path('runs', 'good', 'checkpoints'), { recursive: true });
    expect(await run('compare', 'good', ...runs)).toMatchObject({ status: 1, stdout: '' });
  });
});
