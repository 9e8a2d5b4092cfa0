import { z } from 'zod';
import { byCount } from './by-count.js';

/** The same learning rate throughout. */
export const constant = byCount('constant', z.strictObject({}), (_, { baseRate }) => baseRate);
