// `npm start`: everything that a fresh clone needs, then the demo. Only Node and npm are taken for granted.
import { prepare, run } from './prepare.mjs';

prepare();
run('training a classifier of handwritten digits', process.execPath, ['scripts/demo.mjs']);
