import { z } from 'zod';
import { byEpoch } from './by-epoch.js';

/** The same learning rate throughout. */
export const constant = byEpoch('constant', z.strictObject({}), (_, { baseRate }) => baseRate);
