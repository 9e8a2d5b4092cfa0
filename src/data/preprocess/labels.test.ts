import { expect, test } from 'vitest';
import { labelFolders } from './labels.js';

const folders = (...paths: string[]) => paths.map((path) => ({ path, pictures: ['a.png'] }));
const base = { pictures: 'photos', labelPattern: undefined, readClassLabel: undefined };

test('the label is the last part of the path; the same label from two folders is one class', () => {
  const { ofFolder, sorted } = labelFolders(folders('b/cat', 'dog', 'a/cat'), base);
  expect(ofFolder).toEqual(['cat', 'dog', 'cat']);
  expect(sorted).toEqual(['cat', 'dog']);
});

test('a pattern gives its first group, or the whole match', () => {
  const caltech = folders('001.ak47', '002.american-flag', 'more/257.clutter');
  expect(labelFolders(caltech, { ...base, labelPattern: /([^./]+)$/u }).sorted).toEqual([
    'ak47',
    'american-flag',
    'clutter',
  ]);
  expect(labelFolders(caltech, { ...base, labelPattern: /\d+/ }).sorted).toEqual(['001', '002', '257']);
});

test('a function gets the path', () => {
  const readClassLabel = (path: string): string => path.split('/')[0] ?? '';
  expect(labelFolders(folders('x/1', 'y/1'), { ...base, readClassLabel }).sorted).toEqual(['x', 'y']);
});

test('the two Unicode forms of a word are one label', () => {
  expect(labelFolders(folders('a/caf\u00e9', 'b/cafe\u0301', 'tea'), base).sorted).toEqual([
    'caf\u00e9',
    'tea',
  ]);
});

test('says which folder has no label, and when there is one class only', () => {
  expect(() => labelFolders(folders('a', '12'), { ...base, labelPattern: /[a-z]+/ })).toThrow(
    /match the folder 12/,
  );
  expect(() => labelFolders(folders('a', '12'), { ...base, labelPattern: /([a-z]*)/ })).toThrow(
    /folder 12 is empty/,
  );
  expect(() => labelFolders(folders('a'), base)).toThrow(/photos: there is only one class, "a"/);
  expect(() => labelFolders(folders('a/1', 'b/1'), base)).toThrow(/all 2 folders have the label "1"/);
});
