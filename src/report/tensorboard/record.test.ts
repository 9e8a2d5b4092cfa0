import { crc32c } from '@node-rs/crc32';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frame, maskedCrc, readRecords } from './record.js';

const bytes = (length: number, at: (index: number) => number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => at(index));

describe('maskedCrc', () => {
  // RFC 3720, B.4
  it.each([
    ['32 bytes of zeros', bytes(32, () => 0), 0x8a9136aa],
    ['32 bytes of ones', bytes(32, () => 255), 0x62a8ab43],
    ['0 to 31', bytes(32, (index) => index), 0x46dd794e],
    ['31 to 0', bytes(32, (index) => 31 - index), 0x113fdb5c],
    ['123456789', new TextEncoder().encode('123456789'), 0xe3069283],
  ])('is the CRC-32C of %s, rotated and moved', (_, data, crc) => {
    expect(crc32c(data)).toBe(crc);
    const rotated = (maskedCrc(data) - 0xa282ead8) >>> 0;
    expect(((rotated << 15) | (rotated >>> 17)) >>> 0).toBe(crc);
  });
});

describe('frame', () => {
  it('begins a record of 24 bytes as every event file begins', () => {
    const head = [0x18, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22];
    expect([...frame(new Uint8Array(24)).subarray(0, 12)]).toEqual(head);
  });

  it('is read back, whatever the data are', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (all) => {
        const file = Buffer.concat(all.map(frame));
        expect([...readRecords(file)].map(({ data }) => [...data])).toEqual(all.map((data) => [...data]));
      }),
    );
  });
});

describe('readRecords', () => {
  const files = fc.array(fc.uint8Array({ minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 6 });

  it('ends at a record that is cut off', () => {
    fc.assert(
      fc.property(files, fc.nat(), (all, cut) => {
        const frames = all.map(frame);
        const file = Buffer.concat(frames);
        const length = cut % file.length;
        let whole = 0;
        for (let end = 0; whole < frames.length; whole++) {
          end += frames[whole]?.length ?? 0;
          if (end > length) break;
        }
        expect([...readRecords(file.subarray(0, length))]).toHaveLength(whole);
      }),
    );
  });

  it('ends at a record of which any bit differs', () => {
    fc.assert(
      fc.property(files, fc.nat(), (all, place) => {
        const frames = all.map(frame);
        const file = Buffer.concat(frames);
        const bit = place % (8 * file.length);
        const byte = Math.floor(bit / 8);
        file[byte] = (file[byte] ?? 0) ^ (1 << (bit % 8));
        let damaged = 0;
        for (let end = 0; damaged < frames.length; damaged++) {
          end += frames[damaged]?.length ?? 0;
          if (byte < end) break;
        }
        expect([...readRecords(file)]).toHaveLength(damaged);
      }),
    );
  });
});
