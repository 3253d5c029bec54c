import { onRealNodes } from './support/stories.ts';

onRealNodes({
  'policy-fqdn': { isUndone: false },
  'policy-scanner': { isUndone: false },
  'policy-cohort-replaced': { isUndone: false },
  'policy-good': { isUndone: false },
  'agent-restarted': { isUndone: false },
});
