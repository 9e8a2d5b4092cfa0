import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type JournalRecord, JournalWriter, readJournal, readJournalHeader } from './journal.js';

let root: string;
let path: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'resnode-journal-'));
  path = join(root, 'preprocess.journal');
});
afterEach(() => rm(root, { recursive: true }));

const subject = { settings: { size: 3 }, listing: 'abc', pictures: 5 };
const whole = fc.nat();
const stamp = fc.record({ size: whole, changed: fc.double({ min: 0, max: 1e13, noNaN: true }) });
const record: fc.Arbitrary<JournalRecord> = fc.oneof(
  fc.record({
    kind: fc.constant('written' as const),
    ...{
      index: whole,
      stamp,
      width: whole,
      height: whole,
      length: whole,
      crc: whole,
      offset: fc.maxSafeNat(),
    },
    sums: fc.option(fc.array(fc.maxSafeNat(), { minLength: 6, maxLength: 6 }), { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant('rejected' as const),
    ...{ index: whole, stamp: fc.option(stamp, { nil: undefined }) },
    reason: fc.string({ unit: 'binary' }).map((text) => Buffer.from(text).toString()),
  }),
);

async function write(records: readonly JournalRecord[]): Promise<void> {
  await rm(path, { force: true });
  const writer = JournalWriter.begin(path, subject, 'boot');
  for (const done of records) writer.append(done);
  writer.close();
}

async function readAll(): Promise<JournalRecord[]> {
  const records: JournalRecord[] = [];
  for await (const part of readJournal(path)) records.push(...part);
  return records;
}

test('what is written is read back; cut off anywhere, its beginning is', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { maxLength: 8 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (records, share) => {
        await write(records);
        expect(await readAll()).toEqual(records);
        const { length } = await readFile(path);
        await truncate(path, Math.floor(length * share));
        const left = await readAll();
        expect(left).toEqual(records.slice(0, left.length));
      },
    ),
    { numRuns: 60 },
  );
});

test('a long journal is read in parts, and no more than its beginning from a damaged line on', async () => {
  const records = Array.from({ length: 20_000 }, (_, index): JournalRecord => {
    return { kind: 'rejected', index, stamp: { size: index, changed: 1 }, reason: 'damaged or cut off ✗' };
  });
  await write(records);
  expect(await readAll()).toEqual(records);
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('[15000,', '\0\0\0\0\0\0\0'));
  expect(await readAll()).toEqual(records.slice(0, 15_000));
});

test('the header says what the run was begun with; without a whole one there is none', async () => {
  await write([]);
  expect(await readJournalHeader(path)).toEqual({ journal: 1, ...subject, boot: 'boot' });
  await truncate(path, 20);
  expect(await readJournalHeader(path)).toBeUndefined();
  await writeFile(path, '{"journal":99}\n');
  expect(await readJournalHeader(path)).toBeUndefined();
  await rm(path);
  expect(await readJournalHeader(path)).toBeUndefined();
});
