import type { Sample } from '../../src/clients/prometheus/prometheus.ts';

/** How an Envoy was when it was scraped the time before, by its own metrics. */
export interface Scraped {
  /** Epoch ms. */
  readonly at: number;
  /** Requests to the cluster that were open then; undefined where Envoy does not tell. */
  readonly open: number | undefined;
  /** Those of them that waited for a connection. */
  readonly pending: number | undefined;
}

/** When each Envoy was scraped: what a counter has grown by has ended since the scrape before. */
export interface Scrapes {
  /** Takes what is about scrapes, and gives back the rest. */
  look(samples: readonly Sample[]): readonly Sample[];
  /** The scrape before the newest one of the Envoy that has these labels; undefined where it is not known. */
  before(labels: Sample['labels']): Scraped | undefined;
  /** Up to when every Envoy has been scraped (epoch ms); undefined where it is not known. */
  readonly until: number | undefined;
  /** How many Envoys are known. */
  readonly envoys: number;
}

const OPEN = 'envoy_cluster_upstream_rq_active';
const PENDING = 'envoy_cluster_upstream_rq_pending_active';
/** Marks Prometheus' own time of a sample; the time of an answer is that of the question. A label, since `or` does not look at names. */
const SCRAPED = 'meshops_scraped';

/** What is asked beside the counters. */
export const SCRAPE_NAMES: readonly string[] = [OPEN, PENDING];

/** PromQL of when the clusters that `selector` (`label=~"..."`) chooses were scraped. */
export function scrapedQuery(selector: string): string {
  return `label_replace(timestamp(${OPEN}{${selector}}),"${SCRAPED}","yes","","")`;
}

interface Scrape {
  readonly at: number;
  readonly open: ReadonlyMap<string, number>;
  readonly pending: ReadonlyMap<string, number>;
}

export function createScrapes(): Scrapes {
  const newest = new Map<string, Scrape>();
  const earlier = new Map<string, Scrape>();
  return {
    look(samples) {
      const isTime = ({ labels }: Sample): boolean => labels[SCRAPED] !== undefined;
      const own = samples.filter((one) => isTime(one) || SCRAPE_NAMES.includes(one.labels['__name__'] ?? ''));
      for (const [envoy, all] of Map.groupBy(own, ({ labels }) => envoyOf(labels))) {
        const named = (name: string) => all.filter(({ labels }) => labels['__name__'] === name);
        const at = 1_000 * Math.max(...all.filter(isTime).map(({ value }) => value));
        const known = newest.get(envoy);
        if (!(at > (known?.at ?? 0))) continue;
        if (known) earlier.set(envoy, known);
        newest.set(envoy, { at, open: byCluster(named(OPEN)), pending: byCluster(named(PENDING)) });
      }
      return samples.filter((sample) => !own.includes(sample));
    },
    get until() {
      return newest.size === 0 ? undefined : Math.min(...[...newest.values()].map(({ at }) => at));
    },
    get envoys() {
      return newest.size;
    },
    before(labels) {
      const scrape = earlier.get(envoyOf(labels));
      const cluster = clusterOf(labels);
      return scrape && { at: scrape.at, open: scrape.open.get(cluster), pending: scrape.pending.get(cluster) };
    },
  };
}

function byCluster(samples: readonly Sample[]): ReadonlyMap<string, number> {
  return new Map(samples.map(({ labels, value }) => [clusterOf(labels), value]));
}

function clusterOf(labels: Sample['labels']): string {
  return labels['envoy_cluster_name'] ?? '';
}

function envoyOf(labels: Sample['labels']): string {
  return `${labels['job'] ?? ''} ${labels['instance'] ?? ''}`;
}
