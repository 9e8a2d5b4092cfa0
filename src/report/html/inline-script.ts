import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { workerEntry } from '../../worker-entry.js';

/** A script that stands in a page itself. */
export interface InlineScript {
  readonly text: string;
  /** As a Content-Security-Policy names it, so that the page runs this script and no other. */
  readonly hash: string;
}

/** @param name of a file in `report/browser/` */
export async function inlineScript(
  name: 'sort-table' | 'confusion-view' | 'matrix-gestures',
): Promise<InlineScript> {
  const compiled = await readFile(workerEntry(`report/browser/${name}.js`), 'utf8');
  const text = compiled.replace(/^\/\/# sourceMappingURL=.*$/m, '');
  return { text, hash: `sha256-${createHash('sha256').update(text).digest('base64')}` };
}
