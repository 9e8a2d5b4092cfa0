import { plainFamily } from './plain.js';

/**
 * ZFNet (Zeiler & Fergus 2014) as DeepLearning_MiniProjects has it: a 7x7/2 and a 5x5/2 convolution, then 512, 1024
 * and 512 channels; batch norm and dropout as in its AlexNet. For pictures of 227 px.
 */
export const zfnet = plainFamily({
  name: 'zfnet',
  layers: [
    { out: 96, kernel: 7, stride: 2 },
    { pool: 3, stride: 2 },
    { out: 256, kernel: 5, stride: 2, padding: 1 },
    { pool: 3, stride: 2 },
    { out: 512, kernel: 3, padding: 1 },
    { out: 1024, kernel: 3, padding: 1 },
    { out: 512, kernel: 3, padding: 1 },
    { pool: 3, stride: 2 },
  ],
  activation: 'relu',
  classifierNorm: true,
  classifierDropout: [0.5, 0],
  linearInitialization: 'xavier',
  minimumSize: 67,
  defaultSize: 227,
});
