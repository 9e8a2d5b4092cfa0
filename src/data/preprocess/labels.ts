import { UserError } from '../../errors.js';
import { tidy } from './class-names.js';
import { byCodePoint } from './code-point-order.js';
import type { ResolvedOptions } from './options.js';
import type { ClassFolder } from './scan.js';

/**
 * The label of each class folder, in the order of `folders`, and all labels sorted by code point.
 * Labels are brought to Unicode's NFC form, so that the same word from two systems is one class.
 * @throws UserError when a folder has no label, or when fewer than two labels come out
 */
export function labelFolders(
  folders: readonly ClassFolder[],
  options: Pick<ResolvedOptions, 'labelPattern' | 'readClassLabel' | 'pictures'>,
): { ofFolder: string[]; sorted: string[] } {
  const ofFolder = folders.map(({ path }) => labelOf(path, options));
  const unnamed = ofFolder.indexOf('');
  if (unnamed >= 0) {
    throw new UserError(`the label of the folder ${folders[unnamed]?.path} is empty`, {
      hint: 'Change --label-pattern so that it matches the name of the class.',
    });
  }
  const sorted = [...new Set(ofFolder)].sort(byCodePoint);
  if (sorted.length < 2) {
    const all =
      folders.length > 1 ? `all ${folders.length} folders have the label` : 'there is only one class,';
    throw new UserError(`${options.pictures}: ${all} ${JSON.stringify(sorted[0])}`, {
      hint: 'A classifier needs pictures of at least two classes, a folder for each.',
    });
  }
  return { ofFolder, sorted };
}

/** The label that a folder's path has. @throws UserError when the pattern does not match it */
export function labelOf(
  path: string,
  options: Pick<ResolvedOptions, 'labelPattern' | 'readClassLabel'>,
): string {
  return tidy(rawLabel(path, options));
}

function rawLabel(
  path: string,
  { labelPattern, readClassLabel }: Pick<ResolvedOptions, 'labelPattern' | 'readClassLabel'>,
): string {
  if (readClassLabel) return readClassLabel(path);
  if (!labelPattern) return path.slice(path.lastIndexOf('/') + 1);
  const match = labelPattern.exec(path);
  if (!match) {
    throw new UserError(`the label pattern ${labelPattern} does not match the folder ${path}`, {
      hint: 'It is tried on the path below the pictures, e.g. animals/001.cat; ([^./]+)$ takes the last word.',
    });
  }
  return match.length > 1 ? (match[1] ?? '') : match[0];
}
