import { parse } from 'csv-parse/sync';
import { UserError } from '../../errors.js';
import { didYouMean } from '../../read-options.js';
import { type ClassList, linesOf, tidy } from './class-names.js';

/** Classes of the validation pictures. */
export interface ValList {
  /** Index into the labels of each picture, by its path; -1 when its class has no folder. */
  readonly classes: ReadonlyMap<string, number>;
  /** Names in the list without a picture. */
  readonly missing: readonly string[];
}

type Pair = readonly [image: string, label: string];

/**
 * Reads a validation list: lines of an image and its class (csv or with spaces; a header is passed over), or
 * one number a line in the order of the pictures' names, as ILSVRC's ground truth. The class is the label of a
 * folder or a number, see `numbering`.
 * @param options.pictures paths below the validation folder, sorted
 * @param options.labels of the training folders, sorted
 * @throws UserError naming the line of the first defect
 */
export function parseValList(
  text: string,
  options: {
    file: string;
    pictures: readonly string[];
    labels: readonly string[];
    classList: ClassList | undefined;
  },
): ValList {
  const { file, pictures } = options;
  const lines = linesOf(text);
  if (lines.length === 0) throw new UserError(`${file} is empty`);
  if (lines.every((line) => /^\s*\d+\s*$/.test(line))) {
    if (lines.length !== pictures.length) {
      throw new UserError(
        `${file} has ${lines.length} classes, but there are ${pictures.length} validation pictures`,
        { hint: 'A list of numbers alone needs one for each picture, in the order of their names.' },
      );
    }
    return classify(
      lines.map((line, at): Pair => [pictures[at] as string, line.trim()]),
      options,
    );
  }
  return classify(bestPairs(text, finder(pictures)), options);
}

/** Finds the picture that a list means by its path, its name, or its name without extension. */
function finder(pictures: readonly string[]): (image: string) => string | undefined {
  const found = new Map<string, string | null>();
  for (const path of pictures) {
    const base = path.slice(path.lastIndexOf('/') + 1);
    const stem = base.replace(/\.[^.]*$/, '');
    for (const key of new Set([path, base, stem])) found.set(key, found.has(key) ? null : path);
  }
  for (const path of pictures) found.set(path, path);
  return (image) => found.get(image) ?? found.get(image.slice(image.lastIndexOf('/') + 1)) ?? undefined;
}

/** The pairs of the form, csv or spaces, in which most lines name a picture. */
function bestPairs(text: string, find: (image: string) => string | undefined): Pair[] {
  const spaced = linesOf(text).flatMap((line): Pair[] => {
    const match = /^\s*(\S+)\s+(.*\S)\s*$/.exec(line);
    return match ? [[match[1] as string, match[2] as string]] : [];
  });
  const hits = (pairs: readonly Pair[]): number => pairs.filter(([image]) => find(image)).length;
  const separated = csvPairs(text);
  return hits(separated) > hits(spaced) ? separated : spaced;
}

function csvPairs(text: string): Pair[] {
  try {
    const rows: string[][] = parse(text, {
      ...{ bom: true, skip_empty_lines: true, relax_column_count: true, trim: true },
    });
    return rows.flatMap(([image, label]): Pair[] =>
      image !== undefined && label !== undefined ? [[image, label]] : [],
    );
  } catch {
    // not csv: the other form may fit
    return [];
  }
}

function classify(pairs: readonly Pair[], options: Parameters<typeof parseValList>[1]): ValList {
  const { file, pictures } = options;
  const find = finder(pictures);
  const resolve = classFinder(pairs, options);
  const classes = new Map<string, number>();
  const missing: string[] = [];
  for (const [line, [image, label]] of pairs.entries()) {
    const path = find(image);
    if (path === undefined) {
      // else a header
      if (line > 0) missing.push(image);
      continue;
    }
    const id = resolve(label, line);
    if (classes.has(path) && classes.get(path) !== id) {
      throw new UserError(`${file} gives ${image} two classes`);
    }
    classes.set(path, id);
  }
  if (classes.size > 0) return { classes, missing };
  throw new UserError(
    `${file} names none of the validation pictures (${pictures.slice(0, 2).join(', ')} ...)`,
    {
      hint: 'A line is an image and its class, e.g. ILSVRC2012_val_00000001.JPEG n01751748; or csv.',
    },
  );
}

function classFinder(
  pairs: readonly Pair[],
  options: Parameters<typeof parseValList>[1],
): (label: string, line: number) => number {
  const { file, labels, classList } = options;
  const ids = new Map(labels.map((label, id) => [label, id]));
  const elsewhere = new Set(classList?.order);
  let byNumber: ((number: number) => string) | undefined;
  return (text, line) => {
    const label = tidy(text);
    // after the class, Kaggle's list has the place of the object
    for (const word of [label, label.split(/\s/, 1)[0] as string]) {
      const id = ids.get(word);
      if (id !== undefined) return id;
      if (elsewhere.has(word)) return -1;
    }
    if (!/^\d+$/.test(label)) {
      throw new UserError(`${file}, entry ${line + 1}: there is no class ${JSON.stringify(label)}`, {
        hint: `${didYouMean(label, labels)}The classes are the folders of the training pictures.`,
      });
    }
    byNumber ??= numbering(pairs, options);
    return ids.get(byNumber(Number(label))) ?? -1;
  };
}

/**
 * What the numbers of a list mean. Those beside the labels in the file of class names; else a place in that
 * file, or, counted from 0, in the sorted folders. ILSVRC's own numbers count from 1 in an order that is not
 * the sorted one, so a sorted list is refused for them: it would give every picture a wrong class.
 */
function numbering(
  pairs: readonly Pair[],
  { file, labels, classList }: Parameters<typeof parseValList>[1],
): (number: number) => string {
  if (classList?.numbers) {
    const { numbers } = classList;
    return (number) => numbers.get(number) ?? beyond(file, number, numbers.size);
  }
  const order = classList?.order ?? labels;
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (const [, text] of pairs) {
    if (!/^\s*\d+\s*$/.test(text)) continue;
    low = Math.min(low, Number(text));
    high = Math.max(high, Number(text));
  }
  if (low === 0) return (number) => order[number] ?? beyond(file, number, order.length);
  if (high > order.length) return beyond(file, high, order.length);
  const sorted = order.every((label, at) => at === 0 || (order[at - 1] as string) < label);
  if (high < order.length || !classList || (sorted && order.every((label) => /^n\d{8}$/.test(label)))) {
    throw new UserError(`${file} gives the classes as numbers from ${low} on, and their order is not known`, {
      hint: "Give --class-names with the number beside each class, as ILSVRC's map_clsloc.txt (n02119789 1 kit_fox).",
    });
  }
  return (number) => order[number - 1] ?? beyond(file, number, order.length);
}

function beyond(file: string, number: number, classes: number): never {
  throw new UserError(`${file} has the class number ${number}, but there are ${classes} classes`, {
    hint: 'Is it a list of classes? The second column of some lists counts the pictures.',
  });
}
