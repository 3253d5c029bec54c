// A process as it is behind a proxy: asks Slack, uploads a file, and reads Git; prints what came of it.
import { createSlackMessages } from '../../src/clients/slack.ts';
import { createWebClient } from '../../src/clients/slack-web.ts';
import { HandoverRule } from '../../src/domain/config/handover.ts';
import { look } from '../../src/handover/work.ts';

const [slackApiUrl = '', repository = ''] = process.argv.slice(2);
const caFile = process.env['NODE_EXTRA_CA_CERTS'] ?? '';

async function done(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'ok';
  } catch (error) {
    return error instanceof Error ? `${error.message} ${error.cause instanceof Error ? error.cause.message : ''}` : String(error);
  }
}

const messages = createSlackMessages({ token: 'xoxb-t', apiUrl: slackApiUrl });
const file = { channelId: 'C', threadTs: '1.1', name: 'a', title: 'a', altText: 'a', comment: 'a', bytes: new Uint8Array([1]) };
process.stdout.write(
  JSON.stringify({
    web: await done(() => createWebClient({ token: 'xoxb-t', slackApiUrl }).auth.test()),
    post: await done(() => messages.post('C', { text: 'a', blocks: [] })),
    upload: await done(() => messages.upload(file)),
    git: await done(() => look({ rule: HandoverRule.parse({ repository, caFile }), handed: [] })),
  }),
);
