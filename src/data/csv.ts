import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { UserError } from '../errors.js';

/**
 * The text of a CSV file with a header line; fields are quoted where they need it, lines end in `\n`.
 * @param rows one array per line, in the order of `columns`
 */
export function writeCsv(
  columns: readonly string[],
  rows: ReadonlyArray<ReadonlyArray<string | number>>,
): string {
  return stringify(rows as Array<Array<string | number>>, { header: true, columns: [...columns] });
}

/** Rows that are made into text at once. */
const rowsPerPart = 4096;

/** As `writeCsv`, in parts of some thousand lines: for tables that are too large for one text. */
export function* csvParts(
  columns: readonly string[],
  rows: Iterable<ReadonlyArray<string | number>>,
): Generator<string> {
  yield writeCsv(columns, []);
  let part: Array<ReadonlyArray<string | number>> = [];
  for (const row of rows) {
    part.push(row);
    if (part.length < rowsPerPart) continue;
    yield stringify(part as Array<Array<string | number>>);
    part = [];
  }
  if (part.length > 0) yield stringify(part as Array<Array<string | number>>);
}

/**
 * Reads the text of a CSV file that must have the `columns` named (others are kept out).
 * @param file named in messages
 * @throws UserError when a column is missing or a line cannot be read
 */
export function readCsv<Column extends string>(
  text: string,
  options: { file: string; columns: readonly Column[] },
): Array<Record<Column, string>> {
  const { file, columns } = options;
  let records: string[][];
  try {
    records = plainRecords(text) ?? parse(text, { bom: true, skip_empty_lines: true });
  } catch (error) {
    throw new UserError(`${file} is not a readable CSV file: ${(error as Error).message}`, {
      hint: 'Was it edited by hand or cut off? Prepare the pictures again, or put it right.',
      cause: error,
    });
  }
  const header = records[0] ?? [];
  const positions = columns.map((column) => {
    const position = header.indexOf(column);
    if (position < 0) {
      throw new UserError(
        `${file} has no column ${column} (its first line: ${header.join(',') || 'empty'})`,
        {
          hint: `The first line must name the columns ${columns.join(',')}.`,
        },
      );
    }
    return [column, position] as const;
  });
  return records.slice(1).map((record) => {
    const row = {} as Record<Column, string>;
    for (const [column, position] of positions) row[column] = record[position] ?? '';
    return row;
  });
}

/**
 * The records of a text without quotes, whose lines all have as many fields, else undefined: a fifth of the
 * parser's time, which counts for a table of a million pictures.
 */
function plainRecords(text: string): string[][] | undefined {
  if (/["\r]/.test(text)) return undefined;
  const records: string[][] = [];
  const from = text.startsWith('\ufeff') ? 1 : 0;
  for (let at = from; at < text.length; ) {
    const next = text.indexOf('\n', at);
    const end = next < 0 ? text.length : next;
    if (end > at) {
      const record = text.slice(at, end).split(',');
      if (record.length !== (records[0]?.length ?? record.length)) return undefined;
      records.push(record);
    }
    at = end + 1;
  }
  return records;
}
