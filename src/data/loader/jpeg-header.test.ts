import sharp, { type JpegOptions, type Sharp } from 'sharp';
import { expect, test } from 'vitest';
import { readJpegHeader } from './jpeg-header.js';

const picture = (): Sharp =>
  sharp({ create: { width: 40, height: 30, channels: 3, background: { r: 200, g: 90, b: 30 } } });

async function headerOf(image: Sharp, options: JpegOptions = {}) {
  return readJpegHeader(await image.jpeg(options).toBuffer());
}

test('plain pictures: baseline, progressive, grey, upright, in sRGB', async () => {
  const plain = { width: 40, height: 30, plain: true };
  expect(await headerOf(picture())).toEqual(plain);
  expect(await headerOf(picture(), { progressive: true })).toEqual(plain);
  expect(await headerOf(picture().toColourspace('b-w'))).toEqual(plain);
  expect(await headerOf(picture().withMetadata({ orientation: 1 }))).toEqual(plain);
  expect(await headerOf(picture().withIccProfile('srgb'))).toEqual(plain);
});

test('turned pictures and other colours are left to the general decoder', async () => {
  const general = { width: 40, height: 30, plain: false };
  for (const orientation of [2, 3, 6, 8]) {
    expect(await headerOf(picture().withMetadata({ orientation }))).toEqual(general);
  }
  expect(await headerOf(picture().withIccProfile('p3'))).toEqual(general);
  expect(await headerOf(picture().toColourspace('cmyk'))).toEqual(general);
});

test('anything else gives undefined, at whatever byte it is cut off', async () => {
  const whole = await picture().withMetadata({ orientation: 6 }).jpeg().toBuffer();
  for (let length = 0; length < 200; length++) {
    expect(() => readJpegHeader(whole.subarray(0, length))).not.toThrow();
  }
  expect(readJpegHeader(whole.subarray(0, 40))).toBeUndefined();
  expect(readJpegHeader(Buffer.from('text'))).toBeUndefined();
  expect(readJpegHeader(Buffer.alloc(0))).toBeUndefined();
  expect(readJpegHeader(await picture().png().toBuffer())).toBeUndefined();
});
