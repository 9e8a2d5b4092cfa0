import type { Size, TransformSpec } from '../data/transforms/transform.js';
import type { TransformLists } from '../train/transform-lists.js';

/** The augmentation of DeepLearning_MiniProjects for pictures of `size`. */
export function originalTransforms(size: Size): TransformLists {
  return {
    train: [
      spec('HorizontalFlip', { p: 0.5 }),
      spec('ShiftScaleRotate', { rotateLimit: [-15, -15], borderMode: 'replicate', p: 0.5 }),
      spec('OneOf', {
        transforms: [
          spec('RandomBrightnessContrast', { brightnessLimit: 0.1, contrastLimit: 0.1 }),
          spec('Equalize', { mode: 'cv', byChannels: true }),
        ],
        p: 0.5,
      }),
      spec('RandomCrop', { ...size }),
      spec('Normalize'),
    ],
    // it took a random crop here too; the same pictures every time make epochs comparable
    val: [spec('CenterCrop', { ...size }), spec('Normalize')],
  };
}

/** The augmentation of He et al. 2016 for CIFAR: four pixels of zeros around, a random crop, half of them mirrored. */
export function cifarTransforms({ height, width }: Size): TransformLists {
  return {
    train: [
      spec('PadIfNeeded', { minHeight: height + 8, minWidth: width + 8, borderMode: 'constant' }),
      spec('RandomCrop', { height, width }),
      spec('HorizontalFlip', { p: 0.5 }),
      spec('Normalize'),
    ],
    val: [spec('CenterCrop', { height, width }), spec('Normalize')],
  };
}

function spec(name: string, options: TransformSpec['options'] = {}): TransformSpec {
  return { name, options };
}
