import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventFile } from './event-file.js';
import { type BoardEvent, decodeEvent, encodeEvent } from './messages.js';
import { frame, readRecords } from './record.js';
import { scalar, text } from './summaries.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'resnode-events-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const point = (step: number, value = step): BoardEvent => ({
  wallTime: 1000 + step,
  step,
  summary: { value: [scalar('Loss', value)] },
});
const note = (words: string): BoardEvent => ({
  wallTime: 1,
  step: 0,
  summary: { value: [text('config', words)] },
});

/** The file that is not empty. */
function only(): string {
  const [path, ...others] = readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((each) => statSync(each).size > 0);
  expect(others).toEqual([]);
  return path ?? '';
}

function events(): BoardEvent[] {
  return [...readRecords(readFileSync(only()))].map(({ data }) => decodeEvent(data));
}

function points(): Array<[step: number, value: number | undefined]> {
  return events().flatMap(({ step, summary }) => (step > 0 ? [[step, summary?.value[0]?.simpleValue]] : []));
}

async function write(upTo: number, steps: readonly BoardEvent[]): Promise<EventFile> {
  const file = new EventFile(folder);
  await file.begin({ upTo, first: [] });
  await file.append(steps);
  return file;
}

describe('EventFile', () => {
  it('begins with the version and the start of a session, then what comes first', async () => {
    const file = new EventFile(folder);
    await file.begin({ upTo: 0, first: [note('a')] });
    await file.append([point(1), point(2)]);
    await file.append([]);
    await file.append([point(3)]);
    const [version, start, first, ...rest] = events();
    expect(version).toMatchObject({ step: 0, fileVersion: 'brain.Event:2' });
    expect(start).toMatchObject({ step: 0, sessionLog: { status: 1 } });
    expect(first?.summary?.value[0]?.tag).toBe('config/text_summary');
    expect(rest).toEqual([1, 2, 3].map((step) => point(step)));
    expect([...file.steps]).toEqual([1, 2, 3]);
  });

  it('keeps what was written up to the epoch that the training goes on from, and nothing after', async () => {
    await write(
      0,
      [1, 2, 3, 4, 5].map((step) => point(step)),
    );
    const file = await write(3, [point(4, 40)]);
    expect([...file.steps]).toEqual([1, 2, 3, 4]);
    expect(points()).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 40],
    ]);
    await write(0, []);
    expect(points()).toEqual([]);
  });

  it('leaves the last file that it replaced, empty, and no other', async () => {
    for (let upTo = 0; upTo < 4; upTo++) await write(upTo, [point(upTo + 1)]);
    expect(readdirSync(folder).map((name) => statSync(join(folder, name)).size > 0)).toEqual([false, true]);
  });

  it('writes what comes first anew each time', async () => {
    for (const words of ['a', 'b']) {
      await new EventFile(folder).begin({ upTo: 9, first: [note(words)] });
    }
    const shown = events().flatMap(({ summary }) => summary?.value ?? []);
    expect(shown.map(({ tensor }) => Buffer.from(tensor?.stringVal?.[0] ?? []).toString())).toEqual(['b']);
  });

  it('leaves out a record that a killed process cut off', async () => {
    await write(0, [point(1), point(2)]);
    const path = only();
    writeFileSync(path, readFileSync(path).subarray(0, -5));
    const file = await write(9, []);
    expect([...file.steps]).toEqual([1]);
    await file.append([point(2, 20)]);
    expect(points()).toEqual([
      [1, 1],
      [2, 20],
    ]);
  });

  it('takes a file that was left beside its successor for replaced', async () => {
    await write(0, [point(1), point(2), point(3)]);
    const old = readFileSync(only());
    await write(2, [point(3, 30)]);
    const successor = only();
    writeFileSync(join(folder, 'events.out.tfevents.0000000001.resnode'), old);
    writeFileSync(join(folder, '.next.0123456789ab.tmp'), 'half');
    await write(9, []);
    expect(points()).toEqual([
      [1, 1],
      [2, 2],
      [3, 30],
    ]);
    expect(only()).not.toBe(successor);
  });

  it('gets a name after the others also when the clock was set back', async () => {
    const future = 'events.out.tfevents.9999999998.resnode';
    writeFileSync(join(folder, future), frame(encodeEvent(point(1))));
    await write(1, []);
    expect(only()).toBe(join(folder, 'events.out.tfevents.9999999999.resnode'));
    await write(1, []);
    expect(only()).toBe(join(folder, 'events.out.tfevents.10000000000.resnode'));
    expect(points()).toEqual([[1, 1]]);
  });

  it("leaves other people's files alone", async () => {
    const theirs = join(folder, 'events.out.tfevents.1.host');
    writeFileSync(theirs, 'theirs');
    await write(0, [point(1)]);
    expect(readFileSync(theirs, 'utf8')).toBe('theirs');
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it('has to begin again when its file is gone', async () => {
    const file = await write(0, [point(1)]);
    rmSync(only());
    await expect(file.append([point(2)])).rejects.toThrow(/ENOENT/);
    expect(file.begun).toBe(false);
    await file.begin({ upTo: 1, first: [] });
    expect([...file.steps]).toEqual([]);
  });
});
