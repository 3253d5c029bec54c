/** What each code needs to be said in words. A code without parameters has `undefined`. */
export interface SentenceParameters {
  // Decisions at a gate (domain/gate.ts).
  readonly NoGateOpen: undefined;
  readonly StaleGate: undefined;
  readonly StalePlan: undefined;
  readonly GateExpired: undefined;
  readonly SelfApproval: undefined;
  readonly NotAnApprover: undefined;
  readonly AlreadyDecided: undefined;
  readonly CountsOnce: undefined;
  readonly WrongChoice: undefined;
  // Starts.
  readonly Busy: { readonly target: string; readonly doing: string; readonly by: string; readonly since: string };
  readonly Ending: undefined;
  readonly Frozen: { readonly scope: string; readonly until: string; readonly reason: string; readonly by: string };
  readonly NotLiftable: { readonly scope: string; readonly by: string; readonly names: readonly string[] };
  readonly NotReleasable: undefined;
  // Emergencies.
  readonly NoEmergency: undefined;
  readonly NotForEmergency: undefined;
  readonly OwnReview: undefined;
  readonly ReviewedAlready: undefined;
  readonly NotAReviewer: undefined;
  readonly NotConfirmed: undefined;
  readonly NotBegun: undefined;
  readonly RequestExpired: undefined;
  readonly NoRoom: undefined;
  readonly ClocksApart: undefined;
  readonly Replayed: undefined;
  readonly NoDatabase: undefined;
  readonly MayNotRead: { readonly who: string; readonly what: string };
  readonly Forbidden: { readonly who: string; readonly what: string };
  // Who asks, and where.
  readonly OtherTeam: undefined;
  readonly OtherApp: undefined;
  readonly OtherCommand: { readonly command: string; readonly commands: readonly string[] };
  readonly Deactivated: undefined;
  readonly Bot: undefined;
  readonly Guest: undefined;
  readonly Stranger: undefined;
  readonly NoEmail: undefined;
  readonly OddEmail: undefined;
  readonly UnknownUser: undefined;
  readonly SlackSilent: undefined;
  readonly TooMany: undefined;
  readonly TooLate: undefined;
  readonly Full: undefined;
  readonly NoModal: undefined;
  readonly NoForm: undefined;
  readonly NoIdentity: { readonly email: string };
  readonly ForgedButton: undefined;
  readonly SharedChannel: undefined;
  readonly ChannelNotAllowed: undefined;
  readonly NotInChannel: undefined;
  readonly VerbNotAllowed: { readonly verb: string; readonly allowed: readonly string[] };
  readonly UnknownCluster: { readonly cluster: string; readonly clusters: readonly string[] };
  readonly NoNamespace: { readonly name: string };
  readonly OutOfScope: { readonly what: string; readonly scope: readonly string[] };
  readonly NoCluster: { readonly name: string };
  // Plans.
  readonly NoRoute: {
    readonly service: string;
    readonly namespace: string;
    readonly elsewhere: readonly string[];
    /** With `--include-other-namespaces` there would be a plan. */
    readonly withOthers?: true;
    /** Services of the namespace that have a route, and whose name is near to the one that was typed. */
    readonly near?: readonly string[];
  };
  readonly RoutesElsewhere: { readonly service: string; readonly routes: readonly string[] };
  readonly NothingToSplit: { readonly service: string; readonly header: string };
  /** `taken`: the header that a rule of the route matches already, `x-canary: v1`. */
  readonly HeaderTaken: { readonly route: string; readonly header: string; readonly taken: string };
  /** `limit`: what a route may have at most, `16 rules`. */
  readonly RouteFull: { readonly route: string; readonly rules: number; readonly added: number; readonly limit: string };
  readonly NoCanary: { readonly service: string; readonly looked: readonly string[] };
  readonly CanaryNotInRoute: { readonly route: string; readonly canary: string };
  readonly Ambiguous: { readonly service: string; readonly candidates: readonly string[] };
  readonly MajorityFalls: { readonly majority: string; readonly points: number; readonly most: number };
  readonly RaisesCanary: { readonly receiver: string; readonly raised: string; readonly from: string; readonly to: string };
  readonly NeedProportions: { readonly route: string; readonly others: readonly string[] };
  readonly AlreadyThere: { readonly receiver: string; readonly percent: string };
  /** `allow`: the value of the annotation that would make it possible. */
  readonly OtherManager: { readonly route: string; readonly manager: string; readonly allow?: string; readonly what?: 'Policy' };
  /** `brief`: what makes the tool leave the change alone. */
  readonly GitOps: { readonly object: string; readonly source: string; readonly when: string; readonly brief: string };
  readonly NothingToUndo: { readonly service: string };
  readonly NothingToRelax: { readonly workload: string };
  readonly AlreadyBack: { readonly service: string; readonly opId: string; readonly since: string; readonly by: string };
  readonly HeaderAgain: { readonly service: string; readonly opId: string; readonly header: string };
  readonly NotTheLast: { readonly opId: string; readonly last: string };
  readonly NotRecorded: { readonly opId: string };
  readonly TargetTaken: { readonly target: string };
  readonly Drifted: { readonly differences: readonly string[] };
  readonly Gone: { readonly object: string };
  readonly NotReady: { readonly service: string; readonly what: string };
  /** `pod`: one that both Services lead to. */
  readonly SharedPod: { readonly receiver: string; readonly other: string; readonly pod: string };
  readonly StableFails: { readonly services: readonly string[]; readonly seen: string; readonly objective: string };
  readonly NotAccepted: { readonly route: string; readonly by: string; readonly reason: string };
  readonly NothingDone: { readonly target: string };
  readonly ClusterHeld: { readonly cluster: string };
  readonly ClusterBusy: { readonly cluster: string; readonly targets: readonly string[] };
  readonly Held: { readonly object: string; readonly opId: string };
  // Policies.
  readonly NoCandidate: { readonly workload: string; readonly looked: readonly string[] };
  readonly ManyCandidates: { readonly workload: string; readonly candidates: readonly string[] };
  readonly BadCandidate: { readonly source: string; readonly words: string };
  readonly NoFile: { readonly words: string };
  readonly NoWorkload: { readonly workload: string; readonly looked: readonly string[] };
  readonly ShortMemory: { readonly asked: string; readonly reach: string; readonly full: string };
  readonly ClusterSilent: { readonly cluster: string; readonly words: string };
  readonly Broken: undefined;
}
