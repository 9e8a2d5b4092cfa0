import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UserError } from '../errors.js';
import { readCsv, writeCsv } from './csv.js';

test('what is written is read back, whatever the fields hold', () => {
  const row = fc.record({ image: fc.string({ unit: 'grapheme' }), label: fc.string({ minLength: 1 }) });
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      const text = writeCsv(
        ['image', 'label'],
        rows.map(({ image, label }) => [image, label]),
      );
      expect(readCsv(text, { file: 'a.csv', columns: ['image', 'label'] })).toEqual(rows);
    }),
  );
});

test('writes plain lines with a header', () => {
  expect(
    writeCsv(
      ['id', 'label'],
      [
        [0, 'cat'],
        [1, 'a, b'],
      ],
    ),
  ).toBe('id,label\n0,cat\n1,"a, b"\n');
  expect(writeCsv(['id', 'label'], [])).toBe('id,label\n');
});

test('reads files of spreadsheets: byte order mark, CRLF, other columns and order', () => {
  const text = '\ufeffclass,note,image\r\n3,x,a.jpg\r\n';
  expect(readCsv(text, { file: 'a.csv', columns: ['image', 'class'] })).toEqual([
    { image: 'a.jpg', class: '3' },
  ]);
});

test('names the file and what is wrong with it', () => {
  const read = (text: string) => () => readCsv(text, { file: 'data/train.csv', columns: ['image', 'class'] });
  expect(read('image,label\na,b\n')).toThrow(UserError);
  expect(read('image,label\na,b\n')).toThrow(/data\/train\.csv has no column class/);
  expect(read('')).toThrow(/data\/train\.csv has no column image/);
  expect(read('image,class\na\n')).toThrow(/data\/train\.csv.*line 2/);
});
