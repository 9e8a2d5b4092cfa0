import { html } from 'hono/html';

/** HTML or SVG whose parts from outside are escaped. */
export type Markup = ReturnType<typeof html>;

/** Builds {@link Markup} from a template: every value is escaped, unless it is markup itself. */
export const markup = html;
