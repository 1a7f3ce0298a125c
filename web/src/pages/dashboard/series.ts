// What of the telemetry stands in which chart: names, figures and the table
// that says the same in words. How it looks is charts.ts.
import { duration, number } from '../../lib/format';
import { classes, type Bucket, type StatusClass, type Telemetry } from './telemetry';

export interface Table {
  head: string[];
  rows: string[][];
}

/** A part of a whole. */
export interface Slice {
  name: string;
  count: number;
}

export const sum = (slices: Slice[]): number => slices.reduce((all, s) => all + s.count, 0);

/** A count as a share of all, in percent: 12.3 %, or – of nothing. */
export function share(count: number, all: number): string {
  return all > 0 ? `${number((count / all) * 100, 1)} %` : '–';
}

const hourText = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const hourLong = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
// Days are those of UTC, as the server counts them.
const dayText = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const dayLong = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' });

/** The name of a bucket at the axis. */
export function bucketName(at: string, bucket: Telemetry['bucket']): string {
  const date = new Date(at);
  return bucket === 'hour' ? hourText.format(date) : dayText.format(date);
}

/** The name of a bucket where there is room. */
export function bucketTitle(at: string, bucket: Telemetry['bucket']): string {
  const date = new Date(at);
  return bucket === 'hour' ? hourLong.format(date) : dayLong.format(date);
}

export interface Lines {
  names: string[];
  titles: string[];
  total: number[];
  errors: number[];
  limited: number[];
}

export function lines(buckets: Bucket[], bucket: Telemetry['bucket']): Lines {
  return {
    names: buckets.map((b) => bucketName(b.at, bucket)),
    titles: buckets.map((b) => bucketTitle(b.at, bucket)),
    total: buckets.map((b) => b.total),
    errors: buckets.map((b) => b.errors),
    limited: buckets.map((b) => b.rate_limited),
  };
}

export function trafficTable(t: Telemetry): Table {
  return {
    head: [t.bucket === 'hour' ? 'Hour' : 'Day', 'Requests', 'Errors', 'Rate-limited'],
    rows: t.traffic.map((b) => [bucketTitle(b.at, t.bucket), number(b.total), number(b.errors), number(b.rate_limited)]),
  };
}

/** The five endpoints, and what all others have together. */
export function endpoints(t: Telemetry): Slice[] {
  const top = t.top_endpoints.slice(0, 5).map((e) => ({ name: e.endpoint, count: e.count }));
  const rest = t.kpis.total_requests - sum(top);
  return rest > 0 && top.length > 0 ? [...top, { name: 'All others', count: rest }] : top;
}

export function sliceTable(what: string, slices: Slice[]): Table {
  const all = sum(slices);
  return { head: [what, 'Requests', 'Share'], rows: slices.map((s) => [s.name, number(s.count), share(s.count, all)]) };
}

export function slowTable(t: Telemetry): Table {
  return {
    head: ['Endpoint', 'Mean', 'Requests'],
    rows: t.slowest_endpoints.map((e) => [e.endpoint, duration(e.mean_ms), number(e.count)]),
  };
}

const meanings: Record<StatusClass, string> = { '2xx': '2xx success', '3xx': '3xx not modified', '4xx': '4xx caller’s error', '5xx': '5xx server error', '429': '429 rate-limited' };

/** The classes in their order; 3xx only where there are any. */
export function statuses(t: Telemetry): (Slice & { key: StatusClass })[] {
  return classes
    .map((key) => ({ key, name: meanings[key], count: t.status_classes[key] ?? 0 }))
    .filter((s) => s.key !== '3xx' || s.count > 0);
}

export const latencies = (t: Telemetry): Slice[] => t.latency.map((l) => ({ name: `${l.label} ms`, count: l.count }));
export const methods = (t: Telemetry): Slice[] => t.methods.map((m) => ({ name: m.method, count: m.count }));
export const addresses = (t: Telemetry): Slice[] => t.top_ips.map((a) => ({ name: a.ip, count: a.count }));

export interface Queue {
  /** Jobs that are under way. */
  waiting: number;
  /** Jobs that failed: will be tried again, or given up. */
  failed: number;
  open: number;
  table: Table;
}

export function queue(t: Telemetry): Queue {
  const q = t.webhook_queue;
  const waiting = q.pending + q.processing;
  const failed = q.failed + q.dead;
  return {
    waiting, failed, open: waiting + failed,
    table: {
      head: ['State', 'Jobs'],
      rows: [['Pending', q.pending], ['Processing', q.processing], ['Failed, to be tried again', q.failed], ['Given up', q.dead], ['Delivered', q.delivered]]
        .map(([name, n]) => [String(name), number(Number(n))]),
    },
  };
}

// What these pages ask for themselves.
const ownEndpoint = /^\w+ (\/api\/v1\/(auth|telemetry|settings|models)\b|\/healthz|\/api\/v1\/\{model\}\S* gateway\.|$)/;

/** Whether nobody but these pages has asked for anything yet, as far as can be told. */
export function untouched(t: Telemetry): boolean {
  const { caller, status } = t.filters;
  return caller === '' && status === '' && [...t.top_endpoints, ...t.slowest_endpoints].every((e) => ownEndpoint.test(e.endpoint));
}

export const levels = { good: 'Good', fair: 'Fair', poor: 'Poor' } as const;
/** From these scores on, health is fair or good. */
export const fairFrom = 50;
export const goodFrom = 80;

/** One sentence for who cannot see the colours. */
export function summary(t: Telemetry): string {
  const k = t.kpis;
  const rate = k.error_rate === null ? 'no traffic' : `error rate ${number(k.error_rate, 1)} percent`;
  return `${number(k.total_requests)} requests, ${rate}, ${number(k.server_errors)} server errors, health ${number(k.health)} of 100`;
}
