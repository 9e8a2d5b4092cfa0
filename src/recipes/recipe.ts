import type { Config } from '../config/config.js';

/** Settings that belong together under a name; what it leaves out has the usual defaults. */
export interface Recipe {
  readonly name: string;
  /** What it is, in a line. */
  readonly says: string;
  readonly settings: Config;
}
