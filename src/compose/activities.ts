// What a worker can do for one cluster, put together from the parts that the process owns.

import { createAnnouncer } from '../../activities/announce/announce.ts';
import { createAnnounce } from '../../activities/announce/index.ts';
import { createActivities } from '../../activities/index.ts';
import { createFlows, type Flows } from '../clients/hubble/flows.ts';
import { readRings } from '../clients/hubble/ring.ts';
import { connectCluster } from '../clients/kubernetes/cluster.ts';
import { createHub } from '../clients/kubernetes/hub.ts';
import { connectPrometheus } from '../clients/prometheus/prometheus.ts';
import { createSlackMessages } from '../clients/slack.ts';
import { hubbleOf } from '../connect/hubble.ts';
import { type ClusterConfig, kubeConfigOf } from '../connect/kubernetes.ts';
import { settingsFor } from '../domain/config/use.ts';
import type { ObjectRef } from '../domain/lifecycle/plan.ts';
import { recordOf } from '../domain/verb.ts';
import { payloadSize } from '../temporal/compression.ts';
import { createDescribe } from '../temporal/describe.ts';
import { createLastFailure } from '../temporal/last-failure.ts';
import type { Operations } from '../temporal/operations.ts';
import { type Foundation, required } from './foundation.ts';
import type { HandoverDeps } from './handover.ts';
import type { ReconcilerDeps } from './lost.ts';
import { meteredActivities, meteredFlows } from './metered.ts';
import { createMayStill } from './still.ts';

interface ClusterActivities {
  readonly activities: object;
  /** What a look for lost operations needs of the cluster. */
  readonly reconciler: Omit<ReconcilerDeps, 'cluster' | 'operations'>;
  /** What telling Git needs of the cluster. */
  readonly handover: Omit<HandoverDeps, 'cluster' | 'git'>;
  /** Ends the shared streams and watches of the cluster. */
  close(): void;
}

/** The activities of one cluster's worker. Its connections are shared by all operations and opened once. */
export function clusterActivities(
  on: Foundation,
  operations: Pick<Operations, 'runs' | 'running' | 'listRunning'>,
  name: string,
  config: ClusterConfig,
): ClusterActivities {
  const { audit, freezes, people, telemetry, environment, now } = on;
  const log = telemetry.log.child({ cluster: name });
  const slackApiUrl = environment.slackApiUrl ?? on.config.current().slack.apiUrl;
  const token = required(environment.slackBotToken, 'SLACK_BOT_TOKEN', 'the worker cannot show what it does');
  const slack = createSlackMessages({ token, ...(slackApiUrl ? { apiUrl: slackApiUrl } : {}) });
  const cluster = connectCluster(kubeConfigOf(config), config);
  const hub = createHub({ cluster, log });
  const meter = telemetry.activities(name);
  const hubble = hubbleOf(config, cluster, hub);
  const flows: Flows = meteredFlows(createFlows({ ...hubble, now, log }), meter);
  const activities = createActivities({
    cluster,
    hub,
    flows,
    rings: (request, signal) => readRings(hubble, request, signal),
    probe: config.probe,
    prometheus: config.prometheus === undefined ? undefined : connectPrometheus(config.prometheus),
    // A record may be late: an operation that Temporal runs holds what it holds all the same.
    audit: { ...audit, holds: async (opId) => ((await audit.operation(opId)) ? audit.holds(opId) : operations.runs(opId)) },
    beside: operations,
    payloadSize,
    records: on.records,
    freezes,
    people,
    mayStill: createMayStill(() => on.config.current(), people),
    now,
    log,
    announce: createAnnounce({
      slack,
      now,
      logger: log,
      describe: createDescribe(on.client, now),
      lastFailure: createLastFailure(on.client, now),
      onCall: () => on.config.current().slack.onCall,
    }),
  });
  const read = (object: ObjectRef, signal: AbortSignal) => cluster.read(object, { signal });
  // Nobody knows whether another worker has spoken: what was said is looked for first.
  const announcer = createAnnouncer({ slack, now, attempt: () => 2, logger: log, onCall: () => on.config.current().slack.onCall });
  return {
    activities: meteredActivities(activities, meter),
    reconciler: {
      audit,
      read,
      announcer,
      settings: ({ target, verb }) => settingsFor(on.config.current(), target, recordOf(verb).command),
      now,
      log,
    },
    handover: { rules: () => on.config.current().handover, handovers: on.handovers, audit, read, announcer, now, log },
    close: () => {
      flows.close();
      hub.close();
      cluster.close();
    },
  };
}
