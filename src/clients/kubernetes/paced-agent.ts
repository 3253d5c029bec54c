import https from 'node:https';
import type { Duplex } from 'node:stream';
import { type Handshakes, ownHandshakes } from '../../net/handshakes.ts';

type Created = Parameters<https.Agent['createConnection']>[1];

/** An agent that begins connections a few at a time. Requests over connections that are there already do not wait. */
export class PacedAgent extends https.Agent {
  readonly #handshakes: Handshakes;

  constructor(options: https.AgentOptions, handshakes: Handshakes = ownHandshakes) {
    super(options);
    this.#handshakes = handshakes;
  }

  override createConnection(options: https.RequestOptions, created?: Created): Duplex | undefined {
    this.#handshakes.pace((done) => {
      try {
        const socket = super.createConnection(options) as Duplex;
        socket.once('secureConnect', done).once('close', done);
        created?.(null, socket);
      } catch (error) {
        done();
        (created as ((error: unknown) => void) | undefined)?.(error);
      }
    });
    return undefined;
  }
}
