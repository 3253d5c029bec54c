import { onRealNodes } from './support/stories.ts';

onRealNodes({
  'canary-healthy': { isUndone: false },
  'canary-5xx': { isUndone: true },
  'canary-drops': { isUndone: true },
  'canary-drift': { isUndone: false },
  'worker-killed': { isUndone: true },
  'relay-down': { isUndone: false },
  'policy-missing-peer': { isUndone: true },
  'policy-missing-peer-observed': { isUndone: true },
  'policy-established': { isUndone: true },
  'policy-egress-dns': { isUndone: true },
});
