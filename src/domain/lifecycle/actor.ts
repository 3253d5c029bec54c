/** A person as the rules see one. Parsed once from Slack and the configured identities; never trusted from a button's value. */
export interface Actor {
  /** Canonical identity, the same for one person in every system: the lower-case e-mail address. */
  readonly id: string;
  readonly name: string;
  readonly slack?: { readonly teamId: string; readonly userId: string };
  /** Whom the cluster sees when this person's forward writes are made. */
  readonly kubernetes?: KubernetesIdentity;
}

export interface KubernetesIdentity {
  readonly user: string;
  readonly groups: readonly string[];
}
