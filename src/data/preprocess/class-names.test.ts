import { expect, test } from 'vitest';
import { nameClasses, parseClassNames } from './class-names.js';

const labels = ['n01440764', 'n02012849', 'n03126707'];
const parse = (text: string, known: readonly string[] = labels) => parseClassNames(text, 'names.txt', known);
const names = (text: string, known: readonly string[] = labels) =>
  nameClasses(known, parse(text, known)).classes.map(({ name }) => name);

test('synset words, with a tab, as csv, and with numbers, as the devkits have them', () => {
  const expected = ['tench, Tinca tinca', 'crane', 'lifting crane'];
  expect(names('n01440764 tench, Tinca tinca\nn02012849 crane\nn03126707 lifting crane\n')).toEqual(expected);
  expect(names('n03126707\tlifting crane\r\nn01440764\ttench, Tinca tinca\r\nn02012849\tcrane')).toEqual(
    expected,
  );
  expect(names('id,name\nn01440764,"tench, Tinca tinca"\nn02012849,crane\nn03126707,lifting crane')).toEqual(
    expected,
  );
  expect(names('n01440764 1 tench\nn02012849 3 crane\nn03126707 2 lifting_crane\n')).toEqual([
    'tench',
    'crane',
    'lifting crane',
  ]);
  expect(parse('n01440764 1 tench\nn02012849 3 crane\nn03126707 2 lifting_crane\n').numbers?.get(3)).toBe(
    'n02012849',
  );
  expect(parse('n01440764 tench\n').numbers).toBeUndefined();
});

test('folders whose names have spaces need a tab or csv', () => {
  expect(names('my cat\tMiez\nmy dog\tBello, der Hund', ['my cat', 'my dog'])).toEqual([
    'Miez',
    'Bello, der Hund',
  ]);
  expect(names('my cat,Miez\nmy dog,"Bello ""the"" dog"', ['my cat', 'my dog'])).toEqual([
    'Miez',
    'Bello "the" dog',
  ]);
});

test('two classes of one name have their labels added, a class without a name keeps its label', () => {
  const list = parse('n02012849 crane\nn03126707 crane\nn99999999 of no folder\n');
  expect(nameClasses(labels, list)).toEqual({
    classes: [
      { label: 'n01440764', name: 'n01440764' },
      { label: 'n02012849', name: 'crane (n02012849)' },
      { label: 'n03126707', name: 'crane (n03126707)' },
    ],
    unnamed: ['n01440764'],
  });
});

test('a file of something else, and a label that is there twice', () => {
  expect(() => parse('a b\nc d\n')).toThrow(/names\.txt names none of the classes \(n01440764, /);
  expect(() => parse('n01440764 a\nn01440764 b\n')).toThrow(/names n01440764 twice/);
});
