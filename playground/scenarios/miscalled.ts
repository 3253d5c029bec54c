import type { Rig } from '../rig/rig.ts';
import type { Message } from '../slack/messages.ts';
import type { Scene } from './scene.ts';

interface Question {
  readonly opId: string;
  readonly gateId: string;
  readonly call: string;
}

/** What a message asks, if it is the question of an operation. */
export function questionIn({ metadata }: Message): Question | undefined {
  const { event_type: type, event_payload: payload } = (metadata ?? {}) as {
    readonly event_type?: string;
    readonly event_payload?: { readonly op_id: string; readonly gate_id: string; readonly call: string };
  };
  if (type !== 'meshops_question' || payload === undefined) return undefined;
  return { opId: payload.op_id, gateId: payload.gate_id, call: payload.call };
}

/** Of each story: a question that reached nobody, or that called somebody twice. Slack must have told people, not only have stored it. */
export function miscalled({ slack }: Rig, scene: Scene): string | undefined {
  const since = scene.began / 1_000;
  const called = slack.drive.notifications().filter(({ message }) => Number(message.ts) >= since);
  const asked = scene.newRoots().flatMap(({ channel, ts }) => slack.drive.thread(channel, ts).filter((one) => questionIn(one)));
  const deaf = asked.find(
    ({ ts, channel }) => !called.some(({ message }) => message.ts === ts || (message.channel !== channel && isSame(message, ts))),
  );
  if (deaf) return `a question reached nobody: ${deaf.text}`;
  const seen = new Set<string>();
  for (const { user, message } of called) {
    const question = questionIn(message);
    if (!question) continue;
    const key = JSON.stringify([user, question]);
    if (seen.has(key)) return `${user} was called twice for the same question: ${message.text}`;
    seen.add(key);
  }
  return undefined;

  /** A direct message about the same question. */
  function isSame(message: Message, ts: string): boolean {
    const question = asked.find((one) => one.ts === ts);
    return question !== undefined && JSON.stringify(questionIn(message)) === JSON.stringify(questionIn(question));
  }
}
