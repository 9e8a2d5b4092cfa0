/** How pixels between those of the source are made. */
export const interpolations = ['nearest', 'linear', 'cubic'] as const;

export type Interpolation = (typeof interpolations)[number];
