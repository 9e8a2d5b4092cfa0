/** Linear light of an sRGB byte, 0 to 2040. */
const linear = Uint16Array.from({ length: 256 }, (_, byte) => {
  const x = byte / 255;
  return Math.round(2040 * (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
});

/** CIE's cube root of a luminance of 0 to 2040 (and some more), times 32768. */
const cubeRoots = Int32Array.from({ length: 3072 }, (_, luminance) => {
  const y = luminance / 2040;
  return Math.round(32768 * (y < 216 / 24389 ? (y * 841) / 108 + 16 / 116 : Math.cbrt(y)));
});

/** L = 116 * root - 16 on the scale 0 to 255, times 32768. */
const slope = Math.floor((116 * 255 + 50) / 100);
const shift = Math.floor((16 * 255 * 32768 + 50) / 100);

/** Lightness L of a colour in CIE Lab, 0 to 255, rounded as OpenCV's tables do. */
export function lightness(r: number, g: number, b: number): number {
  const luminance =
    ((linear[r] as number) * 871 + (linear[g] as number) * 2929 + (linear[b] as number) * 296 + 2048) >> 12;
  return (slope * (cubeRoots[luminance] as number) - shift + 16384) >> 15;
}
