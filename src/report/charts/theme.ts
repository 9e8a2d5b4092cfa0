/** Colours of a chart, as CSS has them. */
export interface ChartTheme {
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  /** Lines, one after the other; told apart also by the colour-blind (Okabe and Ito's). */
  readonly series: readonly string[];
}

/** Dark on white, for picture files. */
export const printTheme: ChartTheme = {
  text: '#1b1f24',
  muted: '#57606a',
  grid: '#d8dee4',
  series: ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7a5195', '#6b6b6b'],
};

/** The colours of the page that a chart stands in. */
export const pageTheme: ChartTheme = {
  text: 'var(--text)',
  muted: 'var(--muted)',
  grid: 'var(--grid)',
  series: ['var(--series-1)', 'var(--series-2)'],
};

/** Colour of line number `index`; after the last it begins anew. */
export function seriesColour({ series }: ChartTheme, index: number): string {
  return series[index % series.length] as string;
}
