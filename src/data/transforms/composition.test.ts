import { describe, expect, it } from 'vitest';
import { UserError } from '../../errors.js';
import { randomPurpose } from '../../random/philox.js';
import { RandomStream } from '../../random/random-stream.js';
import {
  CenterCrop,
  Compose,
  HorizontalFlip,
  Normalize,
  OneOf,
  Resize,
  Sequential,
  SomeOf,
} from './index.js';
import { Picture } from './picture.js';
import { Pipeline } from './pipeline.js';
import { registryOf, transforms } from './registry.js';
import { defineTransform, type TransformSpec } from './transform.js';

/** Adds 1 to one of the three channels: what was applied how often shows in a pixel of 0. */
const marks = [0, 1, 2].map((channel) =>
  defineTransform({
    name: `Mark${channel}`,
    options: {},
    p: 1,
    compile: () => (picture) => {
      const { pixels, offset } = picture;
      pixels[offset + channel] = (pixels[offset + channel] as number) + 1;
    },
  }),
);
const [red, green, blue] = marks as [(typeof marks)[0], (typeof marks)[0], (typeof marks)[0]];
const registry = registryOf([...transforms.values(), ...marks]);
const size = { height: 1, width: 1 };
const normalization = { mean: [0, 0, 0], std: [1, 1, 1] } as const;
const runs = 4000;

/** How often each outcome, such as '0,1,1', came in `runs` pictures. */
function outcomes(...specs: TransformSpec[]): Map<string, number> {
  const run = new Pipeline(specs, { size, normalization, registry }).compile();
  const random = new RandomStream(1, randomPurpose.trainTransforms);
  const picture = new Picture();
  const out = new Float32Array(3);
  const counts = new Map<string, number>();
  for (let index = 0; index < runs; index++) {
    picture.load(1, 1).fill(0);
    random.seek(0, index);
    run(picture, random, out, 0);
    counts.set(out.join(), (counts.get(out.join()) ?? 0) + 1);
  }
  return counts;
}

/** Fails when the counts are further from the expected shares than chance allows (one in 10,000). */
function expectShares(counts: ReadonlyMap<string, number>, shares: Readonly<Record<string, number>>): void {
  expect([...counts.keys()].sort()).toEqual(Object.keys(shares).sort());
  const chiSquare = Object.entries(shares).reduce((sum, [outcome, share]) => {
    const expected = share * runs;
    return sum + ((counts.get(outcome) ?? 0) - expected) ** 2 / expected;
  }, 0);
  // upper 1e-4 quantiles of chi-square for 0 to 6 degrees of freedom
  const limits = [1e-9, 15.14, 18.42, 21.11, 23.51, 25.74, 27.86];
  expect(chiSquare).toBeLessThan(limits[Object.keys(shares).length - 1] as number);
}

describe('OneOf', () => {
  it('applies one, weighed by the probabilities, and that one always', () => {
    const list = [red({ p: 0.1 }), green({ p: 0.5 }), blue({ p: 0.2 })];
    expectShares(outcomes(OneOf(list, { p: 1 })), { '1,0,0': 1 / 8, '0,1,0': 5 / 8, '0,0,1': 2 / 8 });
  });

  it('applies none with the rest of its own probability', () => {
    expectShares(outcomes(OneOf([red(), green({ p: 0.5 })])), {
      '0,0,0': 1 / 2,
      '1,0,0': 1 / 3,
      '0,1,0': 1 / 6,
    });
  });

  it('never takes what has no weight', () => {
    expectShares(outcomes(OneOf([red({ p: 0 }), green(), blue({ p: 0 })], { p: 1 })), { '0,1,0': 1 });
  });

  it('takes what lies within a Sequential with its own probabilities', () => {
    const one = OneOf([Sequential([red(), green({ p: 0.25 })], { p: 0.1 })], { p: 1 });
    expectShares(outcomes(one), { '1,0,0': 3 / 4, '1,1,0': 1 / 4 });
  });
});

describe('SomeOf', () => {
  it('picks n different ones, each choice equally likely', () => {
    const some = SomeOf([red(), green(), blue()], { n: 2 });
    expectShares(outcomes(some), { '1,1,0': 1 / 3, '1,0,1': 1 / 3, '0,1,1': 1 / 3 });
  });

  it('may pick one several times with replace', () => {
    const some = SomeOf([red(), green()], { n: 2, replace: true });
    expectShares(outcomes(some), { '2,0,0': 1 / 4, '1,1,0': 1 / 2, '0,2,0': 1 / 4 });
  });

  it('leaves to each its own probability', () => {
    const some = SomeOf([red({ p: 0.5 }), green()], { n: 1, p: 0.5 });
    expectShares(outcomes(some), { '0,0,0': 1 / 2 + 1 / 8, '1,0,0': 1 / 8, '0,1,0': 1 / 4 });
  });
});

describe('Compose and Sequential', () => {
  it('apply all or none', () => {
    expectShares(outcomes(Compose([red(), green()], { p: 0.5 })), { '0,0,0': 1 / 2, '1,1,0': 1 / 2 });
    expectShares(outcomes(Sequential([red(), green()])), { '0,0,0': 1 / 2, '1,1,0': 1 / 2 });
    expectShares(outcomes(Compose([red(), green()])), { '1,1,0': 1 });
  });

  it('may end with Normalize as the whole list', () => {
    const specs = [Compose([red(), Compose([blue(), Normalize({ std: [2, 1, 2] })])])];
    expectShares(outcomes(...specs), { '0.5,0,0.5': 1 });
  });
});

describe('a composition', () => {
  const build = (...specs: TransformSpec[]) =>
    new Pipeline(specs, { size: { height: 4, width: 4 }, normalization, registry });

  it('survives JSON', () => {
    const spec = OneOf([
      SomeOf([HorizontalFlip(), red()], { n: 1 }),
      Sequential([Resize({ height: 2, width: 2 })]),
    ]);
    expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
    expect(spec.options.p).toBe(0.5);
    expect(OneOf({ transforms: [red()], p: 1 })).toEqual(OneOf([red()], { p: 1 }));
  });

  it('knows the sizes that come out and go in', () => {
    const four = { height: 4, width: 4 };
    const five = { height: 5, width: 5 };
    expect(build(Compose([HorizontalFlip(), CenterCrop(four)], { p: 1 }), red()).minimumInput).toEqual(
      expect.objectContaining(four),
    );
    expect(build(OneOf([red(), HorizontalFlip()]), CenterCrop(four)).minimumInput).toMatchObject(four);
    expect(build(Sequential([Resize(four)]), CenterCrop(four)).minimumInput).toBeUndefined();
    expect(() => build(OneOf([CenterCrop(five), Resize(five)], { p: 1 }))).toThrow(/5 x 5.*4 x 4/);
    expect(() => build(OneOf([CenterCrop(five), Resize(four)], { p: 1 }))).not.toThrow();
    expect(() => build(SomeOf([CenterCrop(four), Resize(five)]))).not.toThrow();
  });

  it.each<[string, () => unknown, RegExp]>([
    ['no transforms', () => OneOf([]), /OneOf: transforms/],
    [
      'only transforms that never apply',
      () => build(OneOf([red({ p: 0 })])),
      /OneOf: one transform at least/,
    ],
    ['more picks than transforms', () => SomeOf([red()], { n: 2 }), /n cannot be 2 of 1 transforms/],
    ['no pick', () => SomeOf([red()], { n: 0 }), /SomeOf: n cannot be 0/],
    ['what is no transform', () => Compose([3 as never]), /Compose: transforms\.0/],
    ['a slip within', () => build(OneOf([{ name: 'Mark3', options: {} }])), /no transform Mark3/],
  ])('refuses %s', (_, action, message) => {
    expect(action).toThrow(UserError);
    expect(action).toThrow(message);
  });
});
