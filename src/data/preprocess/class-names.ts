import { parse } from 'csv-parse/sync';
import { UserError } from '../../errors.js';

/** A class by the label of its folders and the name that people read. */
export interface ClassNaming {
  readonly label: string;
  readonly name: string;
}

/** What a file of class names says. */
export interface ClassList {
  readonly file: string;
  /** Labels in the order of the lines, also those without a folder. */
  readonly order: readonly string[];
  readonly names: ReadonlyMap<string, string>;
  /** Label by the number that stands beside it, as in ILSVRC's map_clsloc.txt. */
  readonly numbers: ReadonlyMap<number, string> | undefined;
}

type Pair = readonly [label: string, name: string];

const forms: ReadonlyArray<(text: string) => Pair[]> = [
  (text) => linesOf(text).flatMap((line) => splitAt(line, /\t+/)),
  (text) => linesOf(text).flatMap((line) => splitAt(line, /\s+/)),
  (text) => csvPairs(text),
];

/** Text in the one form that the same word of two systems has, and that UTF-8 can hold. */
export function tidy(text: string): string {
  // the way through UTF-8 replaces halves of characters
  return Buffer.from(text).toString().normalize('NFC').trim();
}

/** Lines that are not empty. */
export function linesOf(text: string): string[] {
  return text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '');
}

function splitAt(line: string, border: RegExp): Pair[] {
  const found = border.exec(line.trimStart());
  if (!found) return [];
  const start = line.trimStart();
  return [[start.slice(0, found.index), start.slice(found.index + found[0].length)]];
}

function csvPairs(text: string): Pair[] {
  try {
    const rows: string[][] = parse(text, { bom: true, skip_empty_lines: true, relax_column_count: true });
    return rows.flatMap(([label, name]) =>
      label !== undefined && name !== undefined ? [[label, name]] : [],
    );
  } catch {
    // not every text is csv, and the other forms may fit
    return [];
  }
}

/**
 * Reads lines of a label and a name: `n01440764 tench, Tinca tinca`, the same with a tab, or csv; a number
 * between them is kept as the class's number (`n02119789 1 kit_fox`).
 * @param labels of the folders; the form in which most lines begin with one of them is taken
 * @throws UserError when no line does, or a label is there twice
 */
export function parseClassNames(text: string, file: string, labels: readonly string[]): ClassList {
  const known = new Set(labels);
  const read = forms.map((form) => form(text).map(([label, name]): Pair => [tidy(label), tidy(name)]));
  const hits = read.map((pairs) => pairs.filter(([label]) => known.has(label)).length);
  const best = hits.indexOf(Math.max(...hits));
  if (hits[best] === 0) {
    throw new UserError(`${file} names none of the classes (${labels.slice(0, 3).join(', ')} ...)`, {
      hint: 'A line is a folder and its name, e.g. n01440764 tench, Tinca tinca; or csv.',
    });
  }
  const pairs = read[best] ?? [];
  const seen = new Set<string>();
  for (const [label] of pairs) {
    if (seen.has(label)) throw new UserError(`${file} names ${label} twice`);
    seen.add(label);
  }
  return { file, order: pairs.map(([label]) => label), ...namesOf(pairs) };
}

function namesOf(pairs: readonly Pair[]): Pick<ClassList, 'names' | 'numbers'> {
  const numbered = pairs.map(([label, rest]) => ({ label, match: /^(\d+)\s+(\S.*)$/.exec(rest) }));
  const numbers = new Map<number, string>();
  for (const { label, match } of numbered) if (match) numbers.set(Number(match[1]), label);
  if (numbers.size < pairs.length) return { names: new Map(pairs), numbers: undefined };
  const names = numbered.map(({ label, match }) => [label, (match?.[2] ?? '').replaceAll('_', ' ')] as const);
  return { names: new Map(names), numbers };
}

/**
 * The name of each label: the list's, or the label itself where it says none. Two classes of one name, as
 * ImageNet's two cranes, have their labels added.
 */
export function nameClasses(
  labels: readonly string[],
  list: ClassList | undefined,
): { classes: ClassNaming[]; unnamed: string[] } {
  const unnamed: string[] = [];
  const names = labels.map((label) => {
    const name = list?.names.get(label);
    if (list && !name) unnamed.push(label);
    return name || label;
  });
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const classes = labels.map((label, id): ClassNaming => {
    const name = names[id] as string;
    return { label, name: counts.get(name) === 1 ? name : `${name} (${label})` };
  });
  return { classes, unnamed };
}
