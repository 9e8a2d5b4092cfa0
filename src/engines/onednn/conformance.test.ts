import { engineConformance } from '../conformance/index.js';
import { engines } from '../registry.js';

// one thread, since tests run beside one another
engineConformance(() => engines.onednn({ threads: 1 }));
