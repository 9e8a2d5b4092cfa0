import { expect, test } from 'vitest';
import { parseClassNames } from './class-names.js';
import { parseValList } from './val-list.js';

const labels = ['n01', 'n02', 'n03'];
const pictures = ['ILSVRC_val_0001.JPEG', 'ILSVRC_val_0002.JPEG', 'sub/ILSVRC_val_0003.JPEG'];

function classes(text: string, names?: string, known: readonly string[] = labels): Array<number | undefined> {
  const classList = names === undefined ? undefined : parseClassNames(names, 'names.txt', known);
  const list = parseValList(text, { file: 'val.txt', pictures, labels: known, classList });
  return pictures.map((picture) => list.classes.get(picture));
}

test('lines of an image and its class: with spaces, csv, a header, by path, name or name without extension', () => {
  expect(classes('ILSVRC_val_0001.JPEG n02\nILSVRC_val_0003.JPEG n01\n')).toEqual([1, undefined, 0]);
  expect(classes('image,label\nILSVRC_val_0001,n03\nval/ILSVRC_val_0002.JPEG,"n01"\r\n')).toEqual([
    2,
    0,
    undefined,
  ]);
  expect(classes('sub/ILSVRC_val_0003.JPEG\tn02\nother.JPEG n01')).toEqual([undefined, undefined, 1]);
});

test("Kaggle's list, where the place of the object follows the class", () => {
  expect(
    classes(
      'ImageId,PredictionString\nILSVRC_val_0002,n03 85 1 499 272 \nILSVRC_val_0001,n01 1 2 3 4 n01 5 6 7 8 \n',
    ),
  ).toEqual([0, 2, undefined]);
});

test('labels of more than one word, and with commas in csv', () => {
  const known = ['cat, small', 'red fox'];
  expect(classes('ILSVRC_val_0001.JPEG red fox\nILSVRC_val_0002.JPEG cat, small', undefined, known)).toEqual([
    1,
    0,
    undefined,
  ]);
  expect(
    classes('ILSVRC_val_0001.JPEG,"cat, small"\nILSVRC_val_0002.JPEG,red fox', undefined, known),
  ).toEqual([0, 1, undefined]);
});

test('numbers from 0 count the sorted folders, or the lines of the class names', () => {
  expect(classes('ILSVRC_val_0001.JPEG 2\nILSVRC_val_0002.JPEG 0')).toEqual([2, 0, undefined]);
  expect(classes('2\n0\n1\n')).toEqual([2, 0, 1]);
  expect(classes('2\n0\n1\n', 'n03 c\nn01 a\nn02 b\n')).toEqual([1, 2, 0]);
});

test('numbers beside the labels, as in map_clsloc.txt, hold for ground truth in the order of the pictures', () => {
  expect(classes('3\n1\n2\n', 'n01 2 kit_fox\nn02 1 English_setter\nn03 3 tench\n')).toEqual([2, 1, 0]);
});

test('a class that the names know but no folder has is left out', () => {
  expect(classes('3\n1\n2\n', 'n01 2 a\nn07 1 b\nn03 3 c\n')).toEqual([2, -1, 0]);
  expect(classes('ILSVRC_val_0001.JPEG n07\nILSVRC_val_0002.JPEG n01', 'n01 a\nn07 b\n')).toEqual([
    -1,
    0,
    undefined,
  ]);
});

test('numbers from 1 without a known order are refused: their order is not the sorted one', () => {
  const hint = expect.stringMatching(/map_clsloc/);
  const message = expect.stringMatching(/numbers from 1 on, and their order is not known/);
  expect(() => classes('3\n1\n2\n')).toThrow(expect.objectContaining({ message, hint }));
  const synsets = ['n00000001', 'n00000002', 'n00000003'];
  const sorted = 'n00000001 a\nn00000002 b\nn00000003 c\n';
  expect(() => classes('3\n1\n2\n', sorted, synsets)).toThrow(expect.objectContaining({ message, hint }));
  // not the sorted order, so one that somebody made for the numbers
  expect(classes('3\n1\n2\n', 'n02 b\nn01 a\nn03 c\n')).toEqual([2, 1, 0]);
  // whether they begin with 0 or 1 cannot be seen
  expect(() => classes('2\n1\n2\n', 'n02 b\nn01 a\nn03 c\n')).toThrow(/their order is not known/);
});

test('what is wrong is said with its place', () => {
  expect(() => classes('')).toThrow(/val\.txt is empty/);
  expect(() => classes('1\n2\n')).toThrow(/has 2 classes, but there are 3 validation pictures/);
  expect(() => classes('ILSVRC_val_0001.JPEG n01\nILSVRC_val_0002.JPEG m02')).toThrow(
    expect.objectContaining({
      message: 'val.txt, entry 2: there is no class "m02"',
      hint: expect.stringMatching(/did you mean 'n02'/),
    }),
  );
  expect(() => classes('x.JPEG n01\ny.JPEG n02')).toThrow(/names none of the validation pictures/);
  expect(() => classes('ILSVRC_val_0001.JPEG n01\nILSVRC_val_0001.JPEG n02')).toThrow(
    /gives ILSVRC_val_0001\.JPEG two classes/,
  );
  // ImageSets/CLS-LOC/val.txt counts the pictures in its second column
  expect(() => classes('ILSVRC_val_0001 1\nILSVRC_val_0002 2\nILSVRC_val_0003 4')).toThrow(
    expect.objectContaining({ message: 'val.txt has the class number 4, but there are 3 classes' }),
  );
});

test('names in the list without a picture are told', () => {
  const text = 'ILSVRC_val_0001.JPEG n01\nILSVRC_val_9999.JPEG n02\n';
  const { missing } = parseValList(text, { file: 'val.txt', pictures, labels, classList: undefined });
  expect(missing).toEqual(['ILSVRC_val_9999.JPEG']);
});
