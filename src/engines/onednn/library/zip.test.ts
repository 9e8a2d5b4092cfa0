import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeZip } from './testing/zip-writer.js';
import { ZipArchive } from './zip.js';

describe('ZipArchive', () => {
  it('gives back what was packed', async () => {
    const files = fc.dictionary(
      fc.string({ minLength: 1, unit: 'grapheme' }),
      fc.uint8Array({ maxLength: 2000 }),
    );
    await fc.assert(
      fc.asyncProperty(
        files,
        fc.boolean(),
        fc.constantFrom('', 'a comment'),
        async (content, store, comment) => {
          const archive = new ZipArchive(writeZip(content, { store, comment }));
          expect(archive.names).toEqual(Object.keys(content));
          for (const [name, bytes] of Object.entries(content)) {
            expect(Buffer.compare(await archive.read(name), bytes)).toBe(0);
          }
        },
      ),
    );
  });

  it('never gives other bytes for a file that is cut off or changed', async () => {
    const content = Buffer.from(
      'some text that repeats, some text that repeats, some text that repeats'.repeat(9),
    );
    const whole = writeZip({ 'a/b.txt': content });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), async (length) => {
        await expect(async () => new ZipArchive(whole.subarray(0, length)).read('a/b.txt')).rejects.toThrow(
          /zip file/,
        );
      }),
    );
  });

  it('names a member that is not there', async () => {
    const archive = new ZipArchive(writeZip({ a: Buffer.from('1') }));
    await expect(archive.read('b')).rejects.toThrow('the zip file has no b');
  });

  it.runIf(hasPython())('reads what Python packs, as wheels are', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'resnode-zip-'));
    try {
      writeFileSync(join(folder, 'library.bin'), Buffer.alloc(300_000, 'pattern'));
      execFileSync('python3', ['-m', 'zipfile', '-c', 'a.zip', 'library.bin'], { cwd: folder });
      const archive = new ZipArchive(readFileSync(join(folder, 'a.zip')));
      expect(Buffer.compare(await archive.read('library.bin'), Buffer.alloc(300_000, 'pattern'))).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function hasPython(): boolean {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
