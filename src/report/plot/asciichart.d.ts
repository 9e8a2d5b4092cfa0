declare module 'asciichart' {
  interface PlotConfig {
    height?: number;
    min?: number;
    colors?: Array<string | undefined>;
    format?: (value: number) => string;
    offset?: number;
  }
  const asciichart: {
    plot(series: number[][], config?: PlotConfig): string;
    readonly blue: string;
    readonly red: string;
    readonly green: string;
    readonly magenta: string;
    readonly yellow: string;
    readonly cyan: string;
    readonly reset: string;
  };
  export default asciichart;
}
