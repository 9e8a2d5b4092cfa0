/** 1.5 * 2^52: a sum with it has no room for a fraction. */
const wholeNumbersOnly = 6755399441055744;

/** The nearest whole number, of two equally near ones the even one, as C's `rint`; for numbers within 2^51. */
export function roundHalfEven(value: number): number {
  return value + wholeNumbersOnly - wholeNumbersOnly;
}
