// The single figures: what they are called, how they are written, and when
// they should be noticed.
import { bytes, compact, duration, number } from '../../lib/format';
import { tooMany } from './alerts';
import { goodFrom, fairFrom } from './series';
import type { Kpis, Question } from './telemetry';

export type Tone = '' | 'good' | 'warn' | 'bad' | 'limited';

export interface Kpi {
  key: keyof Kpis;
  label: string;
  /** What it counts, in a sentence. */
  hint: string;
  say: (value: number | null) => string;
  tone?: (value: number) => Tone;
  /** Where there is more about it: a path and its query. */
  place?: (q: Question) => [string, Record<string, string | undefined>];
}

const count = (v: number | null): string => (v !== null && Math.abs(v) >= 10_000_000 ? compact(v) : number(v));
const rate = (v: number | null): string => (v === null ? '–' : `${number(v, 1)} %`);
const logs = (status: string) => (q: Question): [string, Record<string, string | undefined>] => ['/logs', { caller: q.caller || undefined, status }];
const some = (tone: Tone) => (v: number): Tone => (v > 0 ? tone : '');

export const kpis: Kpi[] = [
  { key: 'total_requests', label: 'Total requests', hint: 'Requests in the range', say: count, place: (q) => ['/logs', { caller: q.caller || undefined, status: q.status || undefined }] },
  { key: 'requests_per_second', label: 'Requests / s', hint: 'Requests per second: the mean of the last ten seconds, of all callers', say: (v) => number(v, 1) },
  { key: 'success_rate', label: 'Success rate', hint: 'Share of requests answered with a status below 400', say: rate },
  { key: 'error_rate', label: 'Error rate', hint: 'Share of requests that failed', say: rate, tone: (v) => (v > tooMany ? 'bad' : v > tooMany / 2 ? 'warn' : '') },
  { key: 'client_errors', label: '4xx', hint: 'Errors of callers, without 429', say: count, place: logs('4xx') },
  { key: 'server_errors', label: '5xx', hint: 'Errors of the server', say: count, tone: some('bad'), place: logs('5xx') },
  { key: 'rate_limited', label: 'Rate-limited', hint: 'Requests refused with 429', say: count, tone: some('limited'), place: logs('429') },
  { key: 'health', label: 'Health', hint: 'From 0 to 100, of errors and latency', say: (v) => number(v), tone: (v) => (v >= goodFrom ? 'good' : v >= fairFrom ? 'warn' : 'bad') },
  { key: 'mean_ms', label: 'Mean latency', hint: 'Mean time until the answer was ready', say: duration },
  { key: 'p50_ms', label: 'p50 latency', hint: 'Half of the requests took no longer', say: duration },
  { key: 'p95_ms', label: 'p95 latency', hint: '95 of 100 requests took no longer', say: duration },
  { key: 'p99_ms', label: 'p99 latency', hint: '99 of 100 requests took no longer', say: duration },
  { key: 'active_callers', label: 'Active callers', hint: 'Users, keys and clients with requests in the range', say: count },
  { key: 'distinct_ips', label: 'Distinct IPs', hint: 'Addresses that requests came from', say: count },
  { key: 'bytes_out', label: 'Bytes out', hint: 'Size of all answers', say: bytes },
  { key: 'webhooks_pending', label: 'Webhooks pending', hint: 'Events that wait to be sent', say: count, place: () => ['/webhooks/queue', {}] },
  { key: 'webhooks_delivered', label: 'Webhooks delivered', hint: 'Events that have arrived', say: count, place: () => ['/webhooks/queue', {}] },
  { key: 'webhooks_failed', label: 'Webhooks failed', hint: 'Events that could not be delivered', say: count, tone: some('bad'), place: () => ['/webhooks/queue', {}] },
  { key: 'tokens_active', label: 'Tokens active', hint: 'Tokens that are neither expired nor revoked', say: count, place: () => ['/tokens', {}] },
  { key: 'throttles_active', label: 'Throttles active', hint: 'Windows of rate limits that run', say: count, place: () => ['/throttles', {}] },
  { key: 'blocked_ips', label: 'Blocked IPs', hint: 'Addresses that are blocked now', say: count, tone: some('warn'), place: () => ['/blocks', {}] },
];
