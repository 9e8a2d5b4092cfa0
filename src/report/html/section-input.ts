import type { Report } from '../report.js';

/** What a page is made of. */
export interface SectionInput {
  readonly report: Report;
  /** JPEGs of the worst mistakes, by their file; those that could not be read are missing. */
  readonly pictures: ReadonlyMap<string, Uint8Array>;
}
