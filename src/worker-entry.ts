/**
 * Where the compiled file of a worker thread lies. Threads run compiled JavaScript only, so a test that
 * runs from `src/` starts the thread of `dist/` (the test run builds it first).
 * @param path relative to the package's source root, e.g. `train/engine-thread.js`
 */
export function workerEntry(path: string): URL {
  const root = new URL('.', import.meta.url).href;
  return new URL(path, root.endsWith('/src/') ? `${root.slice(0, -'src/'.length)}dist/` : root);
}
