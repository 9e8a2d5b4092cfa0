#!/usr/bin/env node
// CommonJS, since Node's thread pool is sized when it is first used, and loading an ES module uses it
const { availableParallelism } = require('node:os');

const at = process.argv.findIndex((word) => /^--workers(=|$)/.test(word));
const asked = at < 0 ? 0 : Number(process.argv[at].split('=')[1] ?? process.argv[at + 1]);
const threads = Math.max(4, availableParallelism(), Number.isInteger(asked) ? asked : 0);
process.env.UV_THREADPOOL_SIZE ??= String(Math.min(threads, 256));

import('../dist/cli/main.js').then(({ main }) => main(process.argv));
