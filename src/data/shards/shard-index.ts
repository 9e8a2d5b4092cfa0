import { readFile } from 'node:fs/promises';
import { UserError } from '../../errors.js';
import { writeFileAtomic } from '../atomic-write.js';
import type { ShardEntry } from './shard-entry.js';
import { indexName, placeSample, type ShardSample, sampleBytes } from './shard-layout.js';
import { readTarEntries } from './tar-headers.js';

/** Version of the format, which is that of NVIDIA DALI's wds2idx. */
const formatVersion = 'v1.2';

/** The text of a shard's index: a line for each sample with extension, offset, size and name of its files. */
export function formatShardIndex(samples: readonly ShardSample[]): string {
  const lines = [`${formatVersion} ${samples.length}`];
  let at = 0;
  for (const sample of samples) {
    const { jpeg, label } = placeSample(sample, at);
    const { key, length } = sample;
    const digits = String(sample.label).length;
    lines.push(`jpg ${jpeg} ${length} ${key}.jpg cls ${label} ${digits} ${key}.cls`);
    at += sampleBytes(sample);
  }
  return `${lines.join('\n')}\n`;
}

/** The JPEGs that an index names, in its order; undefined when it is no whole index. */
export function parseShardIndex(text: string): ShardEntry[] | undefined {
  const [first = '', ...lines] = text.split('\n');
  const [version, count] = first.split(' ');
  if (version !== formatVersion || lines.pop() !== '' || lines.length !== Number(count)) return undefined;
  const entries: ShardEntry[] = [];
  for (const line of lines) {
    const entry = jpegOf(line.split(' '));
    if (!entry) return undefined;
    entries.push(entry);
  }
  return entries;
}

/** The picture among the files of one sample: groups of extension, offset, size and name. */
function jpegOf(words: readonly string[]): ShardEntry | undefined {
  for (let at = 0; at + 3 < words.length; at += 4) {
    const [extension = '', offset = '', length = '', name = ''] = words.slice(at, at + 4);
    if (!isJpeg(extension)) continue;
    if (!/^\d+$/.test(offset) || !/^\d+$/.test(length)) return undefined;
    return { name, offset: Number(offset), length: Number(length) };
  }
  return undefined;
}

function isJpeg(extension: string): boolean {
  return /^jpe?g$/i.test(extension);
}

/**
 * The JPEGs of a shard in the order of the tar: from its index, or, where that is missing or damaged, from the
 * headers of the tar; the index is then written, if the folder can be written.
 * @throws UserError when the tar cannot be read
 */
export async function readShardIndex(shard: string): Promise<ShardEntry[]> {
  const path = indexName(shard);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return (text === undefined ? undefined : parseShardIndex(text)) ?? (await rebuild(shard, path));
}

async function rebuild(shard: string, path: string): Promise<ShardEntry[]> {
  const entries: ShardEntry[] = [];
  const lines: string[] = [];
  let sample: string | undefined;
  for await (const { name, offset, length } of readTarEntries(shard)) {
    const base = name.slice(name.lastIndexOf('/') + 1);
    const dot = base.indexOf('.');
    if (dot <= 0) continue;
    const key = name.slice(0, name.length - base.length + dot);
    const extension = base.slice(dot + 1);
    const text = `${extension} ${offset} ${length} ${name}`;
    if (key === sample) lines[lines.length - 1] += ` ${text}`;
    else lines.push(text);
    sample = key;
    if (isJpeg(extension)) entries.push({ name, offset, length });
  }
  if (entries.length === 0) {
    throw new UserError(`${shard} holds no pictures`, {
      hint: 'Was it cut off? Copy it again, or prepare the pictures again.',
    });
  }
  // a folder that cannot be written costs the reading of the headers each time, no more
  await writeFileAtomic(path, `${formatVersion} ${lines.length}\n${lines.join('\n')}\n`).catch(() => {});
  return entries;
}
