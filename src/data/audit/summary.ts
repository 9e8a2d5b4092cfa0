import type { Audit } from './audit.js';
import type { DuplicateGroup } from './duplicates.js';

/** Groups and files shown of each kind; `--json` and the page have all. */
const shown = 5;

/** The findings as text, the worst first. */
export function auditSummary(audit: Audit): string {
  const { pictures, classes, broken, duplicates, leaks, clashes, smallClasses, minPictures } = audit;
  const [largest, smallest] = [classes[0], classes.at(-1)];
  const row = (name: string, text: string): string => `  ${name.padEnd(18)}${text}`;
  const lines = [
    `${count(pictures, 'picture')} of ${count(classes.length, 'class', 'classes')} in ${audit.folder}`,
    row('broken', count(broken.length, 'file')),
    ...broken.slice(0, shown).map(({ file, reason }) => `    ${file}: ${reason}`),
    row('duplicates', duplicatesText(duplicates)),
  ];
  if (audit.kind === 'dataset')
    lines.push(row('leaks', `${count(leaks.length, 'group')} in train and in val`));
  lines.push(...leaks.slice(0, shown).map(groupLine));
  lines.push(row('label clashes', `${count(clashes.length, 'group')} in more than one class`));
  lines.push(...clashes.slice(0, shown).map(groupLine));
  lines.push(row('small classes', `${smallClasses.length} with fewer than ${minPictures} pictures`));
  if (smallClasses.length > 0) {
    const names = smallClasses.slice(-shown).reverse();
    lines.push(`    ${names.map(({ label, pictures: n }) => `${label} ${n}`).join(', ')}`);
  }
  if (largest && smallest) {
    const between = `${largest.label} ${largest.pictures}, ${smallest.label} ${smallest.pictures}`;
    lines.push(row('imbalance', `${audit.imbalance.toFixed(1)}x (${between})`));
  }
  lines.push(
    row('very small', count(audit.sizeOutliers.length, 'picture')),
    row('very long', count(audit.aspectOutliers.length, 'picture')),
    row('grey', percent(audit.greyShare)),
    row('CMYK', percent(audit.cmykShare)),
    '',
  );
  return lines.join('\n');
}

/** The findings as plain data. */
export function auditJson(audit: Audit): object {
  const files = (list: Audit['sizeOutliers']): object[] =>
    list.map(({ picture, width, height }) => ({ file: picture.file, width, height }));
  const groups = (list: readonly DuplicateGroup[]): object[] =>
    list.map(({ kind, pictures, leak, clash }) => ({
      kind,
      leak,
      clash,
      pictures: pictures.map(({ picture: { file, label, split } }) => ({ file, label, split })),
    }));
  return {
    ...audit,
    duplicates: groups(audit.duplicates),
    leaks: audit.leaks.length,
    clashes: audit.clashes.length,
    sizeOutliers: files(audit.sizeOutliers),
    aspectOutliers: files(audit.aspectOutliers),
  };
}

function duplicatesText(groups: readonly DuplicateGroup[]): string {
  const exact = groups.filter(({ kind }) => kind === 'exact').length;
  return `${count(groups.length, 'group')}, ${exact} of them the same file`;
}

function groupLine({ pictures, kind }: DuplicateGroup): string {
  const names = pictures.slice(0, 3).map(({ picture: { file, label } }) => `${file} (${label})`);
  const more = pictures.length > 3 ? ` and ${pictures.length - 3} more` : '';
  return `    ${kind === 'exact' ? 'same file' : 'near'}: ${names.join(' = ')}${more}`;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? one : many}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
