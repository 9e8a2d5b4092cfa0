/** x' = a x + b y + c; y' = d x + e y + f, of pixel centres. */
export interface Affine {
  a: number;
  b: number;
  c: number;
  d: number;
  e: number;
  f: number;
}

/** What an affine transform does about the picture's centre, in this order. */
export interface AffineParts {
  readonly scale: { readonly x: number; readonly y: number };
  /** Degrees, counter-clockwise. */
  readonly rotate: number;
  /** Degrees. */
  readonly shear: { readonly x: number; readonly y: number };
  /** Pixels. */
  readonly translate: { readonly x: number; readonly y: number };
}

const perDegree = Math.PI / 180;

/** Writes the matrix of the parts, for a picture of that size, to `matrix`: where each pixel goes to. */
export function setAffine(
  matrix: Affine,
  { scale, rotate, shear, translate }: AffineParts,
  { width, height }: { readonly width: number; readonly height: number },
): void {
  const angle = rotate * perDegree;
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const shearX = Math.tan(shear.x * perDegree);
  const shearY = Math.tan(shear.y * perDegree);
  const centerX = width / 2 - 0.5;
  const centerY = height / 2 - 0.5;
  matrix.a = (cos - shearX * sin) * scale.x;
  matrix.b = (sin + shearX * cos) * scale.y;
  matrix.d = (shearY * cos - sin) * scale.x;
  matrix.e = (shearY * sin + cos) * scale.y;
  matrix.c = centerX + translate.x - matrix.a * centerX - matrix.b * centerY;
  matrix.f = centerY + translate.y - matrix.d * centerX - matrix.e * centerY;
}

/** Turns the matrix round: where each pixel comes from. A singular one becomes all zeros. */
export function invertAffine(matrix: Affine): void {
  const { a, b, c, d, e, f } = matrix;
  const determinant = a * e - b * d;
  const inverse = determinant === 0 ? 0 : 1 / determinant;
  matrix.a = e * inverse;
  matrix.b = -b * inverse;
  matrix.d = -d * inverse;
  matrix.e = a * inverse;
  matrix.c = -matrix.a * c - matrix.b * f;
  matrix.f = -matrix.d * c - matrix.e * f;
}

/** Whether it leaves every pixel where it is, but for rounding (by the tolerances of numpy's `allclose`). */
export function isIdentity({ a, b, c, d, e, f }: Affine): boolean {
  const near = (value: number, wanted: number): boolean =>
    Math.abs(value - wanted) <= 1e-8 + 1e-5 * Math.abs(wanted);
  return near(a, 1) && near(b, 0) && near(c, 0) && near(d, 0) && near(e, 1) && near(f, 0);
}
