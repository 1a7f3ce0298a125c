import type { Telemetry } from './telemetry';

/** An answer of the API for tests: a day with some of everything. */
export function telemetry(): Telemetry {
  return {
    range: '24h', from: '2026-01-30T13:00:00Z', to: '2026-01-31T13:00:00Z', bucket: 'hour', generated_at: '2026-01-31T12:00:00Z',
    filters: { caller: '', status: '' },
    kpis: {
      total_requests: 12345, success_rate: 97.5, error_rate: 2.5, client_errors: 200, server_errors: 20, rate_limited: 88, mean_ms: 12.345, p50_ms: 8,
      p95_ms: 80, p99_ms: 250, requests_per_second: 0.4, active_callers: 7, distinct_ips: 12, bytes_out: 123_456_789, webhooks_pending: 3,
      webhooks_delivered: 40, webhooks_failed: 2, tokens_active: 5, throttles_active: 4, blocked_ips: 1, health: 93,
    },
    traffic: Array.from({ length: 24 }, (_, i) => ({ at: new Date(Date.UTC(2026, 0, 30, 13 + i)).toISOString(), total: 500 + i, errors: i, rate_limited: i % 4 })),
    top_endpoints: [
      { endpoint: 'GET /api/v1/{model} res.partner', count: 6000 }, { endpoint: 'GET /api/v1/products', count: 3000 },
      { endpoint: 'POST /api/v1/orders', count: 1000 },
    ],
    health: { score: 93, level: 'good' },
    slowest_endpoints: [{ endpoint: 'GET /api/v1/{model}/aggregate sale.order', mean_ms: 210.5, count: 12 }, { endpoint: 'POST /api/v1/orders', mean_ms: 45.25, count: 1000 }],
    top_ips: [{ ip: '203.0.113.7', count: 8000 }, { ip: '2001:db8::1', count: 4345 }],
    latency: [{ label: '<10', count: 9000 }, { label: '10–50', count: 2500 }, { label: '50–100', count: 500 }, { label: '100–500', count: 300 }, { label: '>500', count: 45 }],
    methods: [{ method: 'GET', count: 10_000 }, { method: 'POST', count: 2345 }],
    webhook_queue: { pending: 2, processing: 1, failed: 1, dead: 1, delivered: 40 },
    status_classes: { '2xx': 12_000, '3xx': 37, '4xx': 200, '5xx': 20, '429': 88 },
    callers: [{ id: 'key:3', name: 'ci' }, { id: 'anonymous', name: '' }],
  };
}
