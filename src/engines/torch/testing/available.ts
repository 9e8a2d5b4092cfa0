import { existsSync, readFileSync } from 'node:fs';

/** Where `npm test` notes the LibTorch that it found or got. */
const note = 'node_modules/.cache/libtorch.txt';

/** Whether there is a LibTorch for the tests; where there is none they are skipped, but on CI they must run. */
export const hasTorch = process.env.CI === 'true' || useNotedTorch();

function useNotedTorch(): boolean {
  if (process.env.RESNODE_LIBTORCH) return true;
  if (!existsSync(note)) return false;
  process.env.RESNODE_LIBTORCH = readFileSync(note, 'utf8').trim();
  return existsSync(process.env.RESNODE_LIBTORCH);
}
