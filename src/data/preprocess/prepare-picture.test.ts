import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import type { PictureSettings } from './options.js';
import { PicturePreparer } from './prepare-picture.js';
import { Rejection } from './rejection.js';

const settings: PictureSettings = { size: 48, centerCrop: false, quality: 96, statistics: true };
type Colour = [number, number, number];

/** 120 x 80: red, green, blue, white in the quarters from the top left, reading order. */
const quarters: Colour[] = [
  [220, 30, 40],
  [40, 200, 60],
  [30, 60, 210],
  [250, 250, 250],
];

function picture(): Sharp {
  const [width, height] = [120, 80];
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      pixels.set(quarters[(y < height / 2 ? 0 : 2) + (x < width / 2 ? 0 : 1)] ?? [], (y * width + x) * 3);
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

async function prepare(bytes: Buffer | Promise<Buffer>, changes: Partial<PictureSettings> = {}) {
  const { jpeg, width, height, sums } = await new PicturePreparer({ ...settings, ...changes }).prepare(
    await bytes,
  );
  const written = Buffer.from(jpeg);
  const info = await sharp(written).metadata();
  const pixels = await sharp(written).raw().toBuffer();
  expect(info).toMatchObject({ format: 'jpeg', width, height, channels: 3, space: 'srgb', depth: 'uchar' });
  expect(info.chromaSubsampling).toBe('4:2:0');
  /** Colour in the middle of each quarter, reading order. */
  const seen = [1, 3].flatMap((y) =>
    [1, 3].map((x): Colour => {
      const at = (Math.floor((height * y) / 4) * width + Math.floor((width * x) / 4)) * 3;
      return [pixels[at] ?? -1, pixels[at + 1] ?? -1, pixels[at + 2] ?? -1];
    }),
  );
  return { width, height, sums, seen };
}

function expectColours(seen: Colour[], expected: Colour[], tolerance = 12): void {
  expected.forEach((colour, quarter) => {
    colour.forEach((value, channel) => {
      expect(
        Math.abs((seen[quarter]?.[channel] ?? -99) - value),
        `quarter ${quarter}: ${seen[quarter]}`,
      ).toBeLessThan(tolerance);
    });
  });
}

describe('every format comes out as an upright RGB JPEG of the right colours', () => {
  test.each<[string, () => Promise<Buffer>, number?]>([
    ['JPEG', () => picture().jpeg({ quality: 95 }).toBuffer()],
    ['progressive JPEG', () => picture().jpeg({ quality: 95, progressive: true }).toBuffer()],
    ['PNG', () => picture().png().toBuffer()],
    ['16-bit PNG', () => picture().toColourspace('rgb16').png().toBuffer()],
    ['palette PNG', () => picture().png({ palette: true }).toBuffer()],
    ['WebP', () => picture().webp({ lossless: true }).toBuffer()],
    ['GIF', () => picture().gif().toBuffer()],
    ['TIFF', () => picture().tiff().toBuffer()],
    ['AVIF', () => picture().avif({ quality: 90 }).toBuffer()],
    ['Lab TIFF', () => picture().toColourspace('lab').tiff({ compression: 'lzw' }).toBuffer()],
    ['JPEG with an sRGB profile', () => picture().withIccProfile('srgb').jpeg({ quality: 95 }).toBuffer()],
    ['JPEG with a P3 profile', () => picture().withIccProfile('p3').jpeg({ quality: 95 }).toBuffer(), 30],
    ['CMYK JPEG', () => picture().toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer(), 90],
  ])('%s', async (_, make, tolerance) => {
    const { width, height, seen } = await prepare(make());
    expect([width, height]).toEqual([72, 48]);
    expectColours(seen, quarters, tolerance);
  });

  test('grey JPEG and 16-bit grey PNG', async () => {
    const grey = picture().greyscale();
    const level = (await grey.clone().raw().toBuffer())[0] ?? 0;
    for (const bytes of [
      grey.clone().toColourspace('b-w').jpeg({ quality: 95 }).toBuffer(),
      grey.clone().toColourspace('grey16').png().toBuffer(),
    ]) {
      const { seen } = await prepare(bytes);
      expectColours(seen.slice(0, 1), [[level, level, level]]);
    }
  });

  test('transparent parts become white, also with 16 bit', async () => {
    for (const space of ['srgb', 'rgb16']) {
      const { seen } = await prepare(picture().toColourspace(space).ensureAlpha(0).png().toBuffer());
      expectColours(seen, Array(4).fill([255, 255, 255]));
      const half = await prepare(picture().toColourspace(space).ensureAlpha(0.5).png().toBuffer());
      expectColours(
        half.seen,
        quarters.map((colour) => colour.map((v) => (v + 255) / 2) as Colour),
      );
    }
  });

  test('the first frame of an animation', async () => {
    const frames = await Promise.all([picture(), picture().negate()].map((frame) => frame.png().toBuffer()));
    const animation = sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer();
    expect((await sharp(await animation).metadata()).pages).toBe(2);
    const { width, height, seen } = await prepare(animation);
    expect([width, height]).toEqual([72, 48]);
    expectColours(seen, quarters, 20);
  });

  test.each([
    // quarters of the source in reading order of the upright picture, and its size
    [1, [0, 1, 2, 3], [72, 48]],
    [2, [1, 0, 3, 2], [72, 48]],
    [3, [3, 2, 1, 0], [72, 48]],
    [4, [2, 3, 0, 1], [72, 48]],
    [5, [0, 2, 1, 3], [48, 72]],
    [6, [2, 0, 3, 1], [48, 72]],
    [7, [3, 1, 2, 0], [48, 72]],
    [8, [1, 3, 0, 2], [48, 72]],
  ] as const)('EXIF orientation %d', async (orientation, order, size) => {
    const { width, height, seen } = await prepare(
      picture().withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer(),
    );
    expect([width, height]).toEqual(size);
    expectColours(
      seen,
      order.map((index) => quarters[index] as Colour),
    );
  });

  test('a large photo, which is shrunk while it is decoded', async () => {
    for (const orientation of [1, 6]) {
      const large = picture().resize(3000, 2000, { kernel: 'nearest' }).withMetadata({ orientation });
      const { width, height, seen } = await prepare(large.jpeg({ quality: 95 }).toBuffer());
      expect([width, height]).toEqual(orientation === 1 ? [72, 48] : [48, 72]);
      expectColours(
        seen,
        (orientation === 1 ? [0, 1, 2, 3] : [2, 0, 3, 1]).map((i) => quarters[i] as Colour),
      );
    }
  });
});

describe('sizes', () => {
  test('a small picture is enlarged, down to 1x1', async () => {
    const { width, height } = await prepare(picture().png().toBuffer(), { size: 160 });
    expect([width, height]).toEqual([240, 160]);
    const dot = sharp({ create: { width: 1, height: 1, channels: 3, background: '#c02030' } });
    const result = await prepare(dot.png().toBuffer());
    expect([result.width, result.height]).toEqual([48, 48]);
    expectColours(result.seen, Array(4).fill([0xc0, 0x20, 0x30]));
  });

  test('an exact size stretches; with a centre crop the middle stays', async () => {
    const stretched = await prepare(picture().png().toBuffer(), { size: { height: 40, width: 30 } });
    expect([stretched.width, stretched.height]).toEqual([30, 40]);
    expectColours(stretched.seen, quarters);
    // a bar of black on the left and right that a square cut from the middle leaves out
    const bars = picture()
      .resize(60, 60, { fit: 'fill' })
      .extend({ left: 40, right: 40, background: '#000' });
    for (const bytes of [
      await bars.clone().png().toBuffer(),
      await bars.clone().jpeg({ quality: 95 }).toBuffer(),
    ]) {
      const cropped = await prepare(bytes, { size: 40, centerCrop: true });
      expect([cropped.width, cropped.height]).toEqual([40, 40]);
      expectColours(cropped.seen, quarters);
    }
  });

  test('counts the pixels that are kept', async () => {
    const flat = sharp({
      create: { width: 90, height: 50, channels: 3, background: { r: 10, g: 20, b: 30 } },
    });
    const { width, height, sums } = await prepare(flat.png().toBuffer(), { centerCrop: true });
    const pixels = width * height;
    expect(pixels).toBe(48 * 48);
    expect(sums).toEqual([10, 20, 30, 100, 400, 900].map((value) => value * pixels));
    expect((await prepare(flat.png().toBuffer(), { statistics: false })).sums).toBeUndefined();
  });
});

describe('what cannot be used is rejected with a reason', () => {
  const reasonFor = async (bytes: Buffer): Promise<string> => {
    const error = await new PicturePreparer(settings).prepare(bytes).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(Rejection);
    return (error as Rejection).message;
  };

  test.each(['jpeg', 'png', 'webp', 'gif', 'tiff'] as const)('a %s that is cut off', async (format) => {
    const pixels = Buffer.from(Array.from({ length: 90 * 70 * 3 }, (_, i) => (i * i * 7919) % 251));
    const noise = sharp(pixels, { raw: { width: 90, height: 70, channels: 3 } });
    const whole = await noise.toFormat(format).toBuffer();
    expect(await reasonFor(whole.subarray(0, Math.floor(whole.length * 0.6)))).toBe('damaged or cut off');
  });

  test('other contents', async () => {
    expect(await reasonFor(Buffer.alloc(0))).toBe('empty file');
    expect(await reasonFor(Buffer.from('just some text'))).toBe('not a picture: unknown content');
    expect(await reasonFor(Buffer.from('\n<!DOCTYPE html><html></html>'))).toBe('a web page, not a picture');
    expect(await reasonFor(Buffer.concat([Buffer.from('BM'), Buffer.alloc(99)]))).toMatch(/BMP.*convert/);
    expect(await reasonFor(Buffer.from('\0\0\0\x18ftypheic\0\0\0\0heic', 'latin1'))).toMatch(/HEIC.*convert/);
    expect(await reasonFor((await picture().jpeg().toBuffer()).subarray(0, 30))).toBe('damaged or cut off');
  });

  test('very long pictures and ones of too many pixels', async () => {
    const long = sharp({ create: { width: 1, height: 10_000, channels: 3, background: 'red' } });
    expect(await reasonFor(await long.clone().png().toBuffer())).toBe(
      '1 x 10000 pixels: one side is over 20 times the other',
    );
    expect(await reasonFor(await long.clone().jpeg().toBuffer())).toMatch(/^1 x 10000 pixels/);
    // a GIF header that promises 65,535 x 65,535 pixels
    const giant = Buffer.from(
      'GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\x02D\x01\0;',
      'latin1',
    );
    expect(await reasonFor(giant)).toBe('more than 500 megapixels');
  });
});

test('one preparer serves pictures of all sizes one after the other', async () => {
  const preparer = new PicturePreparer(settings);
  for (const width of [10, 300, 25, 140]) {
    const bytes = await picture().resize(width, width, { fit: 'fill' }).jpeg().toBuffer();
    const { jpeg } = await preparer.prepare(bytes);
    expect((await sharp(Buffer.from(jpeg)).stats()).isOpaque).toBe(true);
  }
});
