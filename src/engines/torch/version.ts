/** Oldest version whose ABI has all that is used: exceptions' texts and boxed optionals came with 2.13. */
export const oldestVersion = { major: 2, minor: 13 } as const;
