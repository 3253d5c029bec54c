// Slack saying no: the error code of a Web API answer.

export class SlackRefusal extends Error {
  override readonly name = 'SlackRefusal' as const;
  readonly code: string;
  /** What Slack puts into response_metadata.messages: where exactly the request was wrong. */
  readonly messages: readonly string[];
  /** Seconds; set only with `ratelimited`. */
  readonly retryAfter: number | undefined;

  constructor(code: string, details: { messages?: readonly string[]; retryAfter?: number } = {}) {
    super(details.messages?.length ? `${code}: ${details.messages.join('; ')}` : code);
    this.code = code;
    this.messages = details.messages ?? [];
    this.retryAfter = details.retryAfter;
  }
}
