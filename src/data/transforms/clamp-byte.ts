/** The number cut off at 0 and 255. */
export function clampByte(value: number): number {
  return Math.max(0, Math.min(255, value));
}
