/** Whether something can be done here, and if not, why. */
export type Ability =
  | {
      readonly supported: true;
      /** What limits it. */
      readonly note?: string;
    }
  | { readonly supported: false; readonly reason: string };

export type PrecisionAbilities = Readonly<Record<'fp32' | 'bf16' | 'fp16', Ability>>;

// dnnl_cpu_isa_t of dnnl_types.h: each is a bit mask that contains the ones it builds on
const isas: ReadonlyArray<readonly [mask: number, name: string]> = [
  [0x1, 'SSE4.1'],
  [0x3, 'AVX'],
  [0x7, 'AVX2'],
  [0xf, 'AVX2 with VNNI'],
  [0x1f, 'AVX2 with VNNI and bf16 conversion'],
  [0x27, 'AVX-512'],
  [0x67, 'AVX-512 with VNNI'],
  [0xe7, 'AVX-512 with VNNI and BF16'],
  [0x1ef, 'AVX-512 with VNNI, BF16 and FP16'],
  [0xfef, 'AMX'],
  [0x1fef, 'AMX with FP16'],
];
const avx512Bf16 = 0xe7;
const amx = 0xfef;

/** Whether an effective instruction set includes AMX. */
export function usesAmx(mask: number): boolean {
  return (mask & amx) === amx;
}

/** What oneDNN's effective instruction set is called, e.g. `AVX2`. */
export function isaName(mask: number): string {
  return isas.findLast(([isa]) => (mask & isa) === isa)?.[1] ?? 'generic';
}

/** What the engine can train with, by oneDNN's effective instruction set. */
export function precisions(mask: number, arch: string): PrecisionAbilities {
  const fp32: Ability = { supported: true };
  const fp16: Ability = { supported: false, reason: 'oneDNN trains in fp32 and bf16 alone' };
  if ((mask & avx512Bf16) === avx512Bf16) {
    return { fp32, bf16: { supported: true }, fp16 };
  }
  const reason =
    arch === 'x64'
      ? `it needs AVX-512 BF16 or AMX; oneDNN uses ${isaName(mask)} here`
      : 'it needs AVX-512 BF16 or AMX, which are features of x86 processors';
  return { fp32, bf16: { supported: false, reason }, fp16 };
}
