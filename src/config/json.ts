import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { UserError } from '../errors.js';

/**
 * Reads JSON that a person wrote.
 * @throws UserError naming file, line and column of the first fault
 */
export function parseJson(file: string, text: string): unknown {
  const source = text.replace(/^\uFEFF/, '');
  try {
    return JSON.parse(source);
  } catch (cause) {
    const errors: ParseError[] = [];
    parse(source, errors, { disallowComments: true });
    // what JSON.parse says itself has no place in it on all versions of Node
    const [first] = errors;
    const { line, column } = placeOf(source, first?.offset ?? source.length);
    const fault = first ? inWords(printParseErrorCode(first.error)) : (cause as Error).message;
    throw new UserError(`${file}, line ${line}, column ${column}: ${fault}`, {
      hint: 'JSON wants double quotes, no comments and no comma before a closing bracket.',
      cause,
    });
  }
}

function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** `CommaExpected` as `comma expected`. */
function inWords(code: string): string {
  return code
    .replace(/Token$/, '')
    .replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .trim();
}
