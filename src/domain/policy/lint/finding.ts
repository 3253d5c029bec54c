/** Leads from the top of one document to a value in it. */
export type Path = readonly (string | number)[];

/** `error` fails a check; a `warning` is legal but almost never meant; a `note` is for people who read. */
export type Severity = 'error' | 'warning' | 'note';

/** Lines and columns count from 1, columns in UTF-16 units; the end is exclusive. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** JSON patch (RFC 6902), as far as the rules need it. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move'; readonly from: string; readonly path: string };

/** A piece of the file's text and what should stand there. */
export interface TextEdit extends Place {
  readonly text: string;
}

export interface Fix {
  readonly words: string;
  /** Pointers lead from the top of the document. */
  readonly patch: readonly PatchOperation[];
  /** The same as a piece of YAML; absent where the text cannot be edited in place. */
  readonly edit?: TextEdit;
}

/** One thing that is wrong with a policy, for the person who wrote it. */
export interface Finding extends Place {
  /** Stable: people put it into their notes and filters. */
  readonly rule: string;
  readonly severity: Severity;
  readonly file?: string;
  /** `spec.ingress[0].toPorts[0].ports[0].port`; empty for the whole document. */
  readonly path: string;
  /** What Cilium would really do with it. */
  readonly happens: string;
  /** The right form, in words. */
  readonly instead: string;
  readonly fix?: Fix;
}

/** One policy lets its pods ask for names. */
export interface DnsGrant {
  /** Whose it is: no policy is its own reason. */
  readonly owner: object;
  /** Undefined: of every namespace, or of the one that the client fills in. */
  readonly namespace: string | undefined;
  readonly clusterwide: boolean;
  readonly selector: Readonly<Record<string, unknown>>;
  /** The questions pass the proxy, so that names are learned. */
  readonly sees: boolean;
  /** The DNS rules; undefined where any name may be asked for. */
  readonly names: readonly unknown[] | undefined;
}

/** What is known about the cluster. Nothing of it is guessed: what is not given is not said. */
export interface LintContext {
  /** The pods that this policy selects receive traffic through the Gateway or an Ingress. */
  readonly behindGateway?: boolean;
  /** Another policy in force already permits DNS for these pods. */
  readonly dnsAllowed?: boolean;
  /** Another policy in force already sends their DNS through the proxy, so that names are learned. */
  readonly dnsVisible?: boolean;
  /** What other policies of the run, or in force, let which pods ask DNS. */
  readonly dns?: readonly DnsGrant[];
  /** Services that exist, `namespace/name`. */
  readonly services?: readonly string[];
}
