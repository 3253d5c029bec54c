import { CONFIGURED } from '../lifecycle/freeze.ts';
import type { SentenceParameters } from './sentence-parameters.ts';

export type { SentenceParameters } from './sentence-parameters.ts';

export type SentenceCode = keyof SentenceParameters;

/** A code whose sentence needs nothing but the code: what workflows and the bot's own checks refuse with. */
export type BareCode = { readonly [Code in SentenceCode]: SentenceParameters[Code] extends undefined ? Code : never }[SentenceCode];

/** A code with what it needs: what travels; the words are made where they are shown. */
export type Refusal = {
  readonly [Code in SentenceCode]: { readonly code: Code; readonly parameters: SentenceParameters[Code] };
}[SentenceCode];

/** Nothing has been written yet in any refusal of a start, plan or decision. */
const UNTOUCHED = 'Nothing was changed.';
/** More names than this help nobody. */
const MOST_NAMES = 5;
const list = (items: readonly string[]) => items.join(', ');

/** The one table from codes to sentences: what happened, what it means for the mesh now, what to do next. */
const SENTENCES: { readonly [Code in SentenceCode]: (parameters: SentenceParameters[Code]) => string } = {
  NoGateOpen: () => 'Nothing is waiting for a decision. Your click changed nothing. The message shows the state of the operation.',
  StaleGate: () => 'This button belongs to an earlier question. Your click changed nothing. Use the buttons of the newest message.',
  StalePlan: () => 'The plan has changed since this button was shown. Your click changed nothing. Read the new plan, then decide on it.',
  GateExpired: () =>
    'The time to decide is over, which counts as declined. Your click changed nothing. Run the command again if it is still wanted.',
  SelfApproval: () =>
    'Nobody approves their own request. Your click changed nothing. Ask another approver; you can still reject or abort it.',
  NotAnApprover: () =>
    'The rules do not name you as an approver of this change. Your click changed nothing. The message names who may decide.',
  AlreadyDecided: () => 'Your approval is counted already; others are still needed. Nothing more to do for you.',
  CountsOnce: () =>
    'You have agreed for another group already, and this group has to agree as well. Your click changed nothing. Someone else of it can approve.',
  WrongChoice: () =>
    'That answer does not fit the question that is open now. Your click changed nothing. Use the buttons of the newest message.',
  Busy: ({ target, doing, by, since }) =>
    `${target} is taken: ${doing}, asked for by ${by} since ${since}. Your command changed nothing. Wait for it, or stop it: \`/mesh abort ${target}\`.`,
  NoRoom: () =>
    `This operation has gone on for so long that Temporal cannot record much more of it. ${UNTOUCHED} Continue it, wait for its end, or roll it back. Then run the command again.`,
  Ending: () => `The operation that held this service is just ending. ${UNTOUCHED} Run the command again in a few seconds.`,
  Frozen: ({ scope, until, reason, by }) =>
    `${scope} is frozen until ${until} by ${by}: ${reason.replace(/\.$/, '')}. ${UNTOUCHED} Rollbacks still work. Wait, or ${by === CONFIGURED.name ? `have it taken out of ${by}` : `lift it (${by} or an approver): \`/mesh unfreeze ${scope}\``}.`,
  NotLiftable: ({ scope, by, names }) =>
    `${scope === '*' ? 'Everything' : scope} was frozen by ${by}, and the rules do not name you as an approver there. ${UNTOUCHED} The freeze can be lifted or replaced by ${names.length > MOST_NAMES ? `${by} or any of the ${names.length} approvers` : [by, ...names].join(' or ')}.`,
  NotReleasable: () =>
    'Only an operation whose rollback has been failing for half a minute can be released. Nothing was changed. `/mesh status` shows what runs.',
  NoEmergency: () =>
    `meshops.yaml knows no emergencies, so every change needs its approvals. ${UNTOUCHED} Run the command again without \`--emergency\`.`,
  NotForEmergency: () =>
    `meshops.yaml does not name you for emergencies. ${UNTOUCHED} Run the command again without \`--emergency\`, or ask someone on call.`,
  OwnReview: () => `Nobody reviews their own emergency. ${UNTOUCHED} Two others sign it.`,
  ReviewedAlready: () => `Your signature is counted already. ${UNTOUCHED} Another person has to sign as well.`,
  NotAReviewer: () => `meshops.yaml does not name you as a reviewer of emergencies. ${UNTOUCHED} Two of those whom it names sign.`,
  NotConfirmed: () =>
    'Not confirmed in time: the operation may or may not have begun. Do not repeat it. This channel hears the truth as soon as it is known; `/mesh status` shows what runs.',
  NotBegun: () => `The command was never confirmed, so it was dropped. ${UNTOUCHED} Run it again.`,
  RequestExpired: () => `The request arrived too late to be what anybody still expects. ${UNTOUCHED} Run the command again.`,
  ClocksApart: () =>
    `The clocks of meshops' bot and of Temporal are over a minute apart, so Temporal takes every command for old. ${UNTOUCHED} Set the clocks by NTP; \`/mesh doctor\` names those that are wrong.`,
  Replayed: () => 'This request was handled before; it is not done twice. `/mesh status` shows what came of it.',
  NoDatabase: () =>
    `The database that remembers requests does not answer, so a repeated request would look like a new one. ${UNTOUCHED} Try again in a minute.`,
  MayNotRead: ({ who, what }) =>
    `You cannot read this: Kubernetes does not let \`${who}\` ${what}. ${UNTOUCHED} Ask for that right, or ask someone who has it.`,
  Forbidden: ({ who, what }) =>
    `Kubernetes does not let ${who} ${what}. ${UNTOUCHED} Ask for the right, or have someone run the command who has it.`,
  OtherTeam: () => `This request comes from a workspace that meshops does not serve. ${UNTOUCHED} Use the workspace it is set up for.`,
  OtherApp: () => `This request is meant for another app. ${UNTOUCHED} Check which app owns the command.`,
  OtherCommand: ({ command, commands }) =>
    `\`${command}\` is no command of meshops here; ${list(commands)} are. ${UNTOUCHED} \`${commands[0] ?? '/mesh'} help\` shows what there is. The names are set in meshops.yaml (slack.commands).`,
  Deactivated: () =>
    `This Slack account is deactivated, so meshops does nothing for it. ${UNTOUCHED} An administrator can activate it again.`,
  Bot: () => `Bots and apps cannot change the mesh. ${UNTOUCHED} A person must run the command.`,
  Guest: () => `Guests cannot use meshops. ${UNTOUCHED} Ask a full member of the workspace.`,
  Stranger: () => `People of other organisations cannot use meshops. ${UNTOUCHED} Ask a member of this workspace.`,
  OddEmail: () =>
    'Your Slack account has an address that is not confirmed, or has unusual characters. So meshops cannot know who you are. Nothing was changed. Confirm it in Slack, or ask an administrator.',
  NoEmail: () =>
    `Slack does not show meshops your e-mail address, so it cannot tell who you are. ${UNTOUCHED} An administrator must give the app the scope users:read.email.`,
  UnknownUser: () => `Slack does not know your account here. ${UNTOUCHED} Ask an administrator of the workspace.`,
  SlackSilent: () =>
    `Slack did not say who you are, and meshops does nothing for people it cannot check. ${UNTOUCHED} Try again in a minute.`,
  TooMany: () =>
    `You send more requests than meshops takes from one person. ${UNTOUCHED} Wait a minute, then try again; others are not held up.`,
  TooLate: () =>
    `Your message came more than a minute late, or the clock of meshops' bot is wrong. Nothing was changed. Write it again; if that does not help, \`meshops doctor\` compares the clocks.`,
  Full: () => `meshops is reading for others already. ${UNTOUCHED} Try again in a minute.`,
  NoModal: () =>
    'Slack did not open the window for your reason. Your click changed nothing. Press the button again; to abort without a window: `/mesh status` shows its name.',
  NoForm: () => 'Slack did not open the form. Nothing was changed. Type the command instead: `/mesh help` shows how.',
  NoIdentity: ({ email }) =>
    `The configuration does not say who ${email} is in Kubernetes. ${UNTOUCHED} An administrator adds the address under \`identities\` in meshops.yaml.`,
  ForgedButton: () => `This button does not belong to an operation of meshops. ${UNTOUCHED} Use the buttons of its own messages.`,
  SharedChannel: () =>
    `This channel is shared with another organisation, so meshops cannot be used here. ${UNTOUCHED} Use an internal channel.`,
  NotInChannel: () =>
    `meshops is not in this channel, so nobody could see its plan here or approve it. ${UNTOUCHED} Invite it with \`/invite\`, then run the command again.`,
  ChannelNotAllowed: () => `This channel is not set up for meshops. ${UNTOUCHED} Use a channel that meshops.yaml names.`,
  VerbNotAllowed: ({ verb, allowed }) =>
    `\`${verb}\` is not allowed in this channel, only ${list(allowed) || 'help'}. ${UNTOUCHED} Use another channel.`,
  UnknownCluster: ({ cluster, clusters }) =>
    `There is no cluster \`${cluster}\` in the configuration; there is ${list(clusters)}. ${UNTOUCHED} Name one of these; \`/mesh help\` shows how.`,
  NoNamespace: ({ name }) =>
    `This channel has no namespace of its own, so \`${name}\` says too little. ${UNTOUCHED} Write namespace/${name}. As in: \`/mesh status namespace/${name}\``,
  OutOfScope: ({ what, scope }) => `\`${what}\` may not be named in this channel; ${list(scope)} may. ${UNTOUCHED} Use another channel.`,
  NoCluster: ({ name }) =>
    `This channel has no cluster of its own, so \`${name}\` says too little. ${UNTOUCHED} Write cluster/namespace/${name}. As in: \`/mesh status cluster/namespace/${name}\``,
  NoRoute: ({ service, namespace, elsewhere, withOthers, near = [] }) =>
    `No HTTPRoute in namespace ${namespace} names the Service ${service}${elsewhere.length > 0 ? ` (others do: ${list(elsewhere)})` : ''}. ${UNTOUCHED} ${withOthers ? 'Add `--include-other-namespaces` to move those.' : near.length > 0 ? `Did you mean ${near.map((name) => `\`${name}\``).join(' or ')}?` : `Check the name with \`kubectl get httproute -n ${namespace}\`.`}`,
  RoutesElsewhere: ({ service, routes }) =>
    `Routes of other namespaces name the Service ${service} too, and would not move: ${list(routes)}. ${UNTOUCHED} Say \`--include-other-namespaces\` if they are meant as well.`,
  NothingToSplit: ({ service, header }) =>
    header === ''
      ? `No route of ${service} has a header rule of meshops. ${UNTOUCHED} There is nothing to take away: \`/mesh status ${service}\``
      : `Requests with ${header} go to the canary of ${service} already. ${UNTOUCHED} See \`/mesh status ${service}\`.`,
  HeaderTaken: ({ route, header, taken }) =>
    `A rule of route ${route} matches the header \`${taken}\` already. Gateways read only the first match of a header name, in any case, so ${header} would send all requests of that rule to the canary. ${UNTOUCHED} Choose another header name: \`/mesh help ab\``,
  RouteFull: ({ route, rules, added, limit }) =>
    `Route ${route} has ${rules} rules, and the header needs ${added} more; the Gateway API allows ${limit} in a route. ${UNTOUCHED} Split the route, then run the command again.`,
  NoCanary: ({ service, looked }) =>
    `Nothing was found that could be the canary of ${service}. Looked for: ${looked.join('; ')}. ${UNTOUCHED} Add ${service}-canary to the rule, or the annotation meshops.dev/canary to the route. Then run the command again.`,
  CanaryNotInRoute: ({ route, canary }) =>
    `Route ${route} names ${canary} as canary, but no rule of it has ${canary} beside another backend. ${UNTOUCHED} Add it to backendRefs with weight 0, or fix the annotation. Then run the command again.`,
  Ambiguous: ({ service, candidates }) =>
    `Which Service is the canary of ${service}? It could be ${candidates.join(' or ')}. ${UNTOUCHED} Choose one, or write its name into the annotation \`meshops.dev/canary\` of the route.`,
  MajorityFalls: ({ majority, points, most }) =>
    `One step would take ${points} points from ${majority}, which has most of the traffic now; more than ${most} is never guessed. ${UNTOUCHED} Name the receiver with its namespace, or go in smaller \`--steps\`: \`/mesh help canary\``,
  RaisesCanary: ({ receiver, raised, from, to }) =>
    `With that ${receiver} would fall and ${raised} rise from ${from} to ${to}: that is a change of ${raised}, which is asked for by its own name. ${UNTOUCHED} If it is meant: \`/mesh canary ${raised} ${to}\`.`,
  NeedProportions: ({ route, others }) =>
    `In route ${route} all other backends (${list(others)}) are at 0, so how they share the rest is unknown. ${UNTOUCHED} Set their weights, or roll back the last operation: \`/mesh history\` shows it.`,
  AlreadyThere: ({ receiver, percent }) => `${receiver} has ${percent} already. ${UNTOUCHED} See \`/mesh status ${receiver}\`.`,
  OtherManager: ({ route, manager, allow, what = 'Route' }) =>
    `${what} ${route} belongs to ${manager}, which would write any change back. ${UNTOUCHED} Change it there, or release it and run the command again.${allow === undefined ? '' : ` If it leaves ${what === 'Route' ? 'weights' : 'rules'} alone, annotate the ${what.toLowerCase()} with \`meshops.dev/allow-owner: ${allow}\`.`}`,
  GitOps: ({ object, source, when, brief }) =>
    `${source} applies ${object} and would write Git's values back ${when}, and \`gitops: refuse\` is configured. ${UNTOUCHED} ${brief}, then run the command again.`,
  NothingToUndo: ({ service }) =>
    `There is no completed operation on ${service} to roll back. ${UNTOUCHED} Set a share: \`/mesh canary ${service} 10%\``,
  NothingToRelax: ({ workload }) =>
    `No completed policy operation on ${workload} has left anything that could be rolled back. ${UNTOUCHED} \`/policy status ${workload}\` shows what is in place.`,
  AlreadyBack: ({ service, opId, since, by }) =>
    `The last change of ${service} is rolled back already, by ${[opId, by && `asked by ${by}`, since].filter(Boolean).join(', ')}. ${UNTOUCHED} \`/mesh history ${service}\` shows what happened.`,
  HeaderAgain: ({ service, opId, header }) =>
    `Going back to before ${opId} would send requests with ${header} to the canary again. ${UNTOUCHED} That is a change of its own: \`/mesh ab ${service} ${header}\`.`,
  NotTheLast: ({ opId, last }) =>
    `This belongs to ${opId}, but ${last} has completed on the same target since. ${UNTOUCHED} Use the buttons of the newest message.`,
  NotRecorded: ({ opId }) =>
    `There is no record that ${opId} has completed and left a change. ${UNTOUCHED} Press again in a few seconds if it has only just ended.`,
  TargetTaken: ({ target }) => `Another operation runs on ${target} now. Your click changed nothing. \`/mesh status\` shows what runs.`,
  Drifted: ({ differences }) =>
    `Someone else has changed the same fields since: ${differences.join('; ')}. ${UNTOUCHED} Look at the difference, then set it yourself: \`/mesh help canary\``,
  Gone: ({ object }) =>
    `${object} has been deleted or replaced since. ${UNTOUCHED} What is new is left alone; set it yourself: \`/mesh help canary\``,
  NotReady: ({ service, what }) => `${service} is not ready: ${what}. ${UNTOUCHED} Wait until it is, then run the command again.`,
  SharedPod: ({ receiver, other, pod }) =>
    `The pod ${pod} is behind ${other} as well as ${receiver}. So it gets part of the traffic of ${other} at any share, and 0% would not take it out. ${UNTOUCHED} Let the selectors of the two Services choose different pods, then run the command again.`,
  StableFails: ({ services, seen, objective }) =>
    `${list(services)} breaks the objective of ${objective} already: ${seen} in the last minute. A canary beside it would be blamed for that. ${UNTOUCHED} Fix it first, or hold the canary to what the others do: \`--slo relative\`.`,
  NotAccepted: ({ route, by, reason }) =>
    `Route ${route} is not accepted by ${by} (${reason}). ${UNTOUCHED} Fix that, then run the command again.`,
  NothingDone: ({ target }) =>
    `No completed operation on ${target} has left anything that could be rolled back. ${UNTOUCHED} \`/mesh history ${target}\` shows what happened.`,
  ClusterHeld: ({ cluster }) =>
    `An operation changes the whole cluster ${cluster}, so nothing else starts there meanwhile. ${UNTOUCHED} Wait for it, or stop it; \`/mesh status\` shows it.`,
  ClusterBusy: ({ cluster, targets }) =>
    `This changes the whole cluster ${cluster}, so it does not start beside other operations: ${list(targets.slice(0, MOST_NAMES))}${targets.length > MOST_NAMES ? ` and ${targets.length - MOST_NAMES} more` : ''}. ${UNTOUCHED} Wait until they are over; \`/mesh status\` shows them.`,
  Held: ({ object, opId }) => `${object} is held by operation ${opId}. ${UNTOUCHED} Wait for it, or stop it: \`/mesh abort ${opId}\``,
  NoCandidate: ({ workload, looked }) =>
    `There is no policy for ${workload}. Looked for: ${looked.join('; ')}. ${UNTOUCHED} Put one there, attach it to a message that mentions me, or have one proposed: \`/policy learn ${workload}\``,
  ManyCandidates: ({ workload, candidates }) =>
    `More than one policy could be meant for ${workload}: ${candidates.join('; ')}. ${UNTOUCHED} Leave one of them and run the command again, or attach the right one to a message that mentions me.`,
  BadCandidate: ({ source, words }) => `The policy in ${source} cannot be used: ${words} ${UNTOUCHED} Fix it, then run the command again.`,
  NoFile: ({ words }) => `The file could not be taken: ${words} ${UNTOUCHED} Attach it again, then repeat the message.`,
  NoWorkload: ({ workload, looked }) =>
    `There is no workload ${workload}. Looked for: ${looked.join(', ')}. ${UNTOUCHED} Check the name with \`kubectl get deploy,sts,ds,rs -A\`, then run the command again.`,
  ShortMemory: ({ asked, reach, full }) =>
    `Hubble remembers the last ${reach} only${full}; you asked for ${asked}. ${UNTOUCHED} Run it with \`--window ${reach.replaceAll(' ', '').replaceAll('min', 'm')}\`, let \`policy observe\` watch for ${asked}, or enlarge \`hubble.eventBufferCapacity\`.`,
  ClusterSilent: ({ cluster, words }) =>
    `Cluster ${cluster} could not be asked: ${words} ${UNTOUCHED} Try again in a minute; \`meshops doctor\` says what is missing.`,
  Broken: () =>
    'Something in meshops broke while it handled this. What the mesh does now is what `/mesh status` shows. Look there before trying again.',
};

/** The sentence for a refusal, as plain text: parameters may be foreign words, so escape the result before Slack sees it. */
export function sentence<Code extends SentenceCode>(
  code: Code,
  ...parameters: undefined extends SentenceParameters[Code] ? [] : [SentenceParameters[Code]]
): string {
  return (SENTENCES[code] as (given: unknown) => string)(parameters[0]);
}

/** The sentence for a refusal that travelled as a value. */
export function sentenceOf(refusal: Refusal): string {
  return (SENTENCES[refusal.code] as (given: unknown) => string)(refusal.parameters);
}

/** Is this text (from a failure's type, say) a code of the table? */
export function isSentenceCode(text: string): text is SentenceCode {
  return Object.hasOwn(SENTENCES, text);
}

/** Is this text a code whose sentence takes no parameters? */
export function isBareCode(text: string): text is BareCode {
  return isSentenceCode(text) && SENTENCES[text].length === 0;
}
