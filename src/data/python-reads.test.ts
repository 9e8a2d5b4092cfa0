import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { csvParts, readCsv, writeCsv } from './csv.js';
import { readDataset } from './dataset.js';
import { preprocess } from './preprocess/preprocess.js';
import { pictureFolder } from './preprocess/testing/pictures.js';

const call = promisify(execFile);

/** Reads files with Python's own modules and prints what they hold as JSON. */
const program = `
import csv, json, sys
found = {}
for path in sys.argv[1:]:
    with open(path, newline='', encoding='utf-8') as file:
        found[path] = list(csv.reader(file)) if path.endswith('.csv') else json.load(file)
json.dump(found, sys.stdout)
`;

let root: string;
let python = false;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'resnode-python-'));
  python = await call('python3', ['-c', 'import csv, json']).then(
    () => true,
    () => false,
  );
});
afterAll(() => rm(root, { recursive: true }));

async function readByPython(...paths: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await call('python3', ['-X', 'utf8', '-c', program, ...paths], { maxBuffer: 1 << 26 });
  return JSON.parse(stdout);
}

/** Names made of what csv and json have to quote, and of characters that are line ends for somebody. */
const special = fc.constantFrom(
  ...[',', '"', "'", '\n', '\r', '\r\n', '\t', ' ', ';', '\\', '/', '#', '=', '\u0085', '\u2028', '\u2029'],
  ...[
    '\ufeff',
    '\u0001',
    '\u007f',
    'e\u0301',
    'é',
    'ß',
    '猫',
    '🐈',
    '👩‍🔬',
    '\u200d',
    'NaN',
    '1e5',
    '007',
    'null',
  ],
);
const text = fc
  .array(fc.oneof(special, fc.string({ unit: 'grapheme', maxLength: 3 })), { maxLength: 6 })
  .map((parts) => parts.join(''));
const rows = fc.array(fc.tuple(text, text, fc.nat().map(String)), { maxLength: 12 });
const columns = ['name', 'other', 'number'] as const;

test('csv of any names is read back, written at once and in parts', () => {
  fc.assert(
    fc.property(rows, (table) => {
      const written = writeCsv(columns, table);
      expect([...csvParts(columns, table)].join('')).toBe(written);
      const back = readCsv(written, { file: 'a.csv', columns });
      expect(back.map(({ name, other, number }) => [name, other, number])).toEqual(table);
    }),
  );
});

test('parts of a long table join without a seam', () => {
  const long = Array.from({ length: 10_000 }, (_, index) => [`name, ${index}`, index]);
  const parts = [...csvParts(['name', 'id'], long)];
  expect(parts.length).toBeGreaterThan(2);
  expect(parts.join('')).toBe(writeCsv(['name', 'id'], long));
});

test("Python's csv reads any names", async ({ skip }) => {
  if (!python) return skip('there is no python3 here');
  const tables = fc.sample(rows, { seed: 1, numRuns: 200 });
  const paths = tables.map((_, index) => join(root, `${index}.csv`));
  await Promise.all(tables.map((table, index) => writeFile(paths[index] ?? '', writeCsv(columns, table))));
  const found = await readByPython(...paths);
  tables.forEach((table, index) => {
    expect(found[paths[index] ?? '']).toEqual([columns, ...table]);
  });
});

test("a dataset whose classes have any names is read by Python's csv and json, and by readDataset", async ({
  skip,
}) => {
  const wanted = fc
    .sample(text, { seed: 2, numRuns: 60 })
    .map((name, index) => `${name}${index}`)
    .concat('a,b', '"', 'two\nlines', 'carriage\rreturn', "it's", '=1+1');
  const folder = await pictureFolder();
  try {
    await folder.fill(1, 1);
    const picture = await readFile(join(folder.pictures, 'a', '0.png'));
    for (let i = 0; i < wanted.length; i++) await folder.put(`${i}/0.png`, picture);
    await rm(join(folder.pictures, 'a'), { recursive: true });
    const out = join(folder.root, 'data');
    const readClassLabel = (path: string): string => wanted[Number(path)] ?? '';
    const { labels } = await preprocess({ pictures: folder.pictures, out, size: 16, readClassLabel });
    const tidy = wanted.map((name) => name.normalize('NFC').trim());
    expect([...labels].sort()).toEqual([...new Set(tidy)].sort());
    expect((await readDataset(out)).classes).toEqual(labels);
    if (!python) return skip('there is no python3 here');
    const [categories, train, described] = ['categories.csv', 'train.csv', 'dataset.json'].map((name) =>
      join(out, name),
    ) as [string, string, string];
    const found = await readByPython(categories, train, described);
    expect(found[categories]).toEqual([['id', 'label'], ...labels.map((label, id) => [String(id), label])]);
    expect(found[train]).toHaveLength(wanted.length + 1);
    expect(found[described]).toEqual(JSON.parse(await readFile(described, 'utf8')));
  } finally {
    await folder.remove();
  }
});
