import { request } from 'node:https';

/** A request to the API server as one user. The path begins with a slash. */
export type ApiRequest = {
  readonly method: 'GET' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly signal: AbortSignal;
};

export type ApiAnswer = { readonly status: number; readonly body: string };

/**
 * Just enough of a client to see the API server come up and load CRDs: the full client takes a second to import.
 * Rejects with the connection's own error.
 */
export type Api = (request: ApiRequest) => Promise<ApiAnswer>;

/** @param ca read for each request: the API server writes its certificate while it starts */
export function openApi(options: { readonly url: string; readonly token: string; readonly ca: () => string }): Api {
  return (wanted) =>
    new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${options.token}`,
        accept: 'application/json',
        ...(wanted.contentType === undefined ? {} : { 'content-type': wanted.contentType }),
      };
      const call = request(
        new URL(wanted.path, options.url),
        { method: wanted.method, headers, ca: options.ca(), signal: wanted.signal, agent: false },
        (response) => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (text: string) => {
            body += text;
          });
          response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
          response.once('error', reject);
        },
      );
      call.once('error', reject);
      call.end(wanted.body);
    });
}
