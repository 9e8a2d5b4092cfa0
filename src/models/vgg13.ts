import { plainFamily } from './plain.js';

const widths = [64, 128, 256, 512, 512];

/**
 * VGG of 13 layers (Simonyan & Zisserman 2015, configuration B) as DeepLearning_MiniProjects has it: PReLU and batch
 * norm after each convolution, dropout also after the poolings. For pictures of 224 px.
 */
export const vgg13 = plainFamily({
  name: 'vgg13',
  layers: widths.flatMap((out) => [
    { out, kernel: 3, padding: 1 },
    { out, kernel: 3, padding: 1 },
    { pool: 2, stride: 2 },
  ]),
  activation: 'prelu',
  classifierNorm: false,
  classifierDropout: [0.5, 0.5],
  linearInitialization: 'small',
  minimumSize: 32,
  defaultSize: 224,
});
