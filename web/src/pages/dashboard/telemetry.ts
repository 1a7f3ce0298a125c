// The answer of GET /api/v1/telemetry, and the question that the address of
// the page asks.
import { request } from '../../lib/api';

export const ranges = ['24h', '30d', '1y'] as const;
export type Range = (typeof ranges)[number];

/** The classes of statuses; 4xx is without 429, which is a class of its own. */
export const classes = ['2xx', '3xx', '4xx', '5xx', '429'] as const;
export type StatusClass = (typeof classes)[number];

export interface Question {
  range: Range;
  /** "user:2", "key:3", "client:4", "anonymous", or "" for everybody. */
  caller: string;
  status: StatusClass | '';
}

export interface Kpis {
  total_requests: number;
  success_rate: number | null;
  error_rate: number | null;
  client_errors: number;
  server_errors: number;
  rate_limited: number;
  mean_ms: number | null;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  requests_per_second: number | null;
  active_callers: number;
  distinct_ips: number;
  bytes_out: number;
  webhooks_pending: number;
  webhooks_delivered: number;
  webhooks_failed: number;
  tokens_active: number;
  throttles_active: number;
  blocked_ips: number;
  health: number;
}

export interface Bucket {
  at: string;
  total: number;
  errors: number;
  rate_limited: number;
}

export interface Telemetry {
  range: Range;
  from: string;
  to: string;
  bucket: 'hour' | 'day';
  generated_at: string;
  filters: { caller: string; status: string };
  kpis: Kpis;
  traffic: Bucket[];
  top_endpoints: { endpoint: string; count: number }[];
  health: { score: number; level: 'good' | 'fair' | 'poor' };
  slowest_endpoints: { endpoint: string; mean_ms: number; count: number }[];
  top_ips: { ip: string; count: number }[];
  latency: { label: string; count: number }[];
  methods: { method: string; count: number }[];
  webhook_queue: { pending: number; processing: number; failed: number; dead: number; delivered: number };
  status_classes: Record<StatusClass, number>;
  callers: { id: string; name: string }[];
}

/** What the address asks; whatever it does not know is as if it were not there. */
export function questionOf(query: URLSearchParams): Question {
  const range = query.get('range') as Range;
  const status = query.get('status') as StatusClass;
  const caller = query.get('caller') ?? '';
  return {
    range: ranges.includes(range) ? range : '24h',
    caller: /^(anonymous|(user|key|client):\d+)$/.test(caller) ? caller : '',
    status: classes.includes(status) ? status : '',
  };
}

/** The address of a question; what is usual is left out. */
export function queryOf(q: Question): Record<string, string | undefined> {
  return { range: q.range === '24h' ? undefined : q.range, caller: q.caller || undefined, status: q.status || undefined };
}

export async function readTelemetry(q: Question): Promise<Telemetry> {
  return (await request<Telemetry>('GET', '/api/v1/telemetry', { query: { ...q } })).data;
}
