import { DefaultFailureConverter } from '@temporalio/common';

/** Error messages can quote a request too: with a payload key they are encrypted like everything else. Loaded by path, in the sandbox too. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
