import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addChecksum,
  floatsOf,
  parseSafetensors,
  SafetensorsError,
  SafetensorsWriter,
} from './safetensors.js';

function sample(): Uint8Array {
  const file = new SafetensorsWriter(
    [
      { name: 'conv.weight', dtype: 'F32', shape: [2, 3] },
      { name: 'labels', dtype: 'I32', shape: [3] },
      { name: 'num_batches_tracked', dtype: 'I64', shape: [] },
      { name: 'empty', dtype: 'F32', shape: [0, 4] },
    ],
    { note: 'Grüße "ü"', version: '1' },
  );
  file.floats('conv.weight').set([1, -2, 3.5, 4, 5, 6]);
  file.ints('labels').set([7, -1, 9]);
  file.longs('num_batches_tracked')[0] = 12_345_678_901n;
  return file.finish();
}

describe('safetensors', () => {
  it('reads back what it wrote', () => {
    const { metadata, tensors } = parseSafetensors(sample());
    expect(metadata).toMatchObject({ note: 'Grüße "ü"', version: '1' });
    const weight = tensors.get('conv.weight');
    expect(weight?.shape).toEqual([2, 3]);
    expect([...floatsOf(weight!)]).toEqual([1, -2, 3.5, 4, 5, 6]);
    const tracked = tensors.get('num_batches_tracked');
    expect(tracked?.shape).toEqual([]);
    expect(new DataView(tracked!.bytes.buffer, tracked!.bytes.byteOffset).getBigInt64(0, true)).toBe(
      12_345_678_901n,
    );
    expect(tensors.get('empty')?.bytes.length).toBe(0);
  });

  it('puts every tensor on a multiple of its element, after a padded header', () => {
    const bytes = sample();
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect((8 + length) % 8).toBe(0);
    for (const tensor of parseSafetensors(bytes).tensors.values()) {
      expect(tensor.bytes.byteOffset % (tensor.dtype === 'I64' ? 8 : 4)).toBe(0);
    }
  });

  it('reads a file that the reference implementation wrote', () => {
    const bytes = readFileSync(new URL('../../test/golden/ops/conv2d.safetensors', import.meta.url));
    const { tensors } = parseSafetensors(bytes);
    expect(tensors.size).toBeGreaterThan(10);
    for (const tensor of tensors.values()) expect(floatsOf(tensor).every(Number.isFinite)).toBe(true);
  });

  it('takes its checksum later, computed in pieces, and has the same bytes then', async () => {
    const specs = [{ name: 'w', dtype: 'F32', shape: [600_000] }] as const;
    const fill = (file: SafetensorsWriter): SafetensorsWriter => {
      file.floats('w').forEach((_, index, all) => {
        all[index] = Math.sin(index);
      });
      return file;
    };
    const whole = fill(new SafetensorsWriter(specs, { note: 'x' })).finish();
    const used = new ArrayBuffer(whole.length + 5);
    new Uint8Array(used).fill(7);
    const later = fill(new SafetensorsWriter(specs, { note: 'x' }, { into: used }));
    const bytes = later.finish({ checksum: false });
    expect(bytes.buffer).toBe(used);
    expect(Buffer.compare(bytes, whole)).not.toBe(0);
    await addChecksum(bytes);
    expect(Buffer.compare(bytes, whole)).toBe(0);
    await expect(addChecksum(bytes)).rejects.toThrow('has its checksum already');
    const small = new SafetensorsWriter(specs, { note: 'x' }, { into: new ArrayBuffer(8) });
    expect(Buffer.compare(fill(small).finish(), whole)).toBe(0);
  });

  it('refuses every cut', () => {
    const bytes = sample();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.length - 1 }), (length) => {
        expect(() => parseSafetensors(bytes.slice(0, length))).toThrow(SafetensorsError);
      }),
    );
  });

  it('notices a changed byte in the tensors', () => {
    const length = Number(new DataView(sample().buffer).getBigUint64(0, true));
    fc.assert(
      fc.property(
        fc.nat(sample().length - 8 - length - 1),
        fc.integer({ min: 1, max: 255 }),
        (at, change) => {
          const bytes = sample();
          bytes[8 + length + at]! ^= change;
          expect(() => parseSafetensors(bytes)).toThrow('checksum');
        },
      ),
    );
  });

  it('never crashes on other bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => parseSafetensors(bytes)).toThrow(SafetensorsError);
      }),
    );
    expect(() => parseSafetensors(new TextEncoder().encode('<!doctype html><html>'.repeat(9)))).toThrow(
      'begin',
    );
  });

  it('refuses two tensors of one name', () => {
    const twice = { name: 'a', dtype: 'F32', shape: [1] } as const;
    expect(() => new SafetensorsWriter([twice, twice], {})).toThrow("'a'");
  });
});
