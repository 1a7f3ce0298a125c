import { describe, expect, it } from 'vitest';
import { classOf, feedSize, fits, joinFaults, mergeFault, mergeTick, OwnTraffic, parseMessage, pollDelay, reconnectDelay, type Fault, type Tick } from './live';
import { telemetry } from './sample';

const fault = (id: string, values: Partial<Fault> = {}): Fault => ({
  request_id: id, at: '2026-01-31T10:00:00Z', method: 'GET', path: '/', status: 500, latency_ms: 1, ip: '::1', login: '', caller: 'key:3',
  error_type: '', error_message: '', ...values,
});
const tick = (values: Partial<Tick> = {}): Tick => ({
  type: 'tick', at: '2026-01-31T12:00:05Z', requests: 10, errors: 3, server_errors: 1, rate_limited: 2, rps: 7.5, mean_ms: 4, error_rate: 5, ...values,
});

describe('messages', () => {
  it('are read with care', () => {
    expect(parseMessage('{"type":"hello","interval_ms":1000}')).toEqual({ type: 'hello' });
    expect(parseMessage(JSON.stringify(tick()))).toEqual(tick());
    for (const bad of ['', '{', 'null', '[]', '{"type":"tick"}', '{"type":"fault"}', '{"type":"new"}', undefined, new Blob()]) expect(parseMessage(bad)).toBeNull();
  });
});

describe('reconnecting', () => {
  it('waits longer each time, and never too long', () => {
    expect([0, 1, 2, 3, 4, 5, 50].map((n) => reconnectDelay(n, 1))).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(reconnectDelay(3, 0)).toBe(4000);
  });
  it('polls more rarely while that fails', () => {
    expect([0, 1, 2, 9].map((n) => pollDelay(5, n))).toEqual([5, 10, 20, 120]);
    expect(pollDelay(60, 5)).toBe(120);
  });
});

describe('a tick', () => {
  it('adds to what adds up', () => {
    const before = telemetry();
    const after = mergeTick(before, tick());
    expect(after.kpis).toMatchObject({ total_requests: before.kpis.total_requests + 10, server_errors: before.kpis.server_errors + 1, rate_limited: before.kpis.rate_limited + 2, client_errors: before.kpis.client_errors + 2, requests_per_second: 7.5 });
    const [was, is] = [before.traffic.at(-1), after.traffic.at(-1)];
    expect(is).toEqual({ at: was?.at, total: was!.total + 10, errors: was!.errors + 3, rate_limited: was!.rate_limited + 2 });
    expect(before).toEqual(telemetry());
  });
  it('counts no second twice, and nothing past a filter', () => {
    const known = tick({ at: '2026-01-31T12:00:00Z' });
    expect(mergeTick(telemetry(), known).kpis.total_requests).toBe(telemetry().kpis.total_requests);
    const filtered = telemetry();
    filtered.filters.caller = 'key:3';
    const after = mergeTick(filtered, tick());
    expect(after.traffic).toEqual(filtered.traffic);
    expect(after.kpis.requests_per_second).toBe(7.5);
  });
  it('takes this page’s own requests out', () => {
    const own = new OwnTraffic();
    own.made(2);
    expect(own.foreign(1)).toBe(0);
    expect(own.foreign(3)).toBe(2);
    expect(own.foreign(1)).toBe(1);
    own.made(9);
    own.forget();
    expect(own.foreign(1)).toBe(1);
  });
});

describe('faults', () => {
  it('come first, once, and not without end', () => {
    let all: Fault[] = [];
    for (let i = 0; i < feedSize + 5; i++) all = mergeFault(all, fault(String(i)));
    expect(all).toHaveLength(feedSize);
    expect(all[0]?.request_id).toBe(String(feedSize + 4));
    expect(mergeFault(all, fault(String(feedSize)))).toBe(all);
  });
  it('join with what was read', () => {
    const joined = joinFaults([fault('a', { at: '2026-01-31T10:00:02Z' }), fault('b')], [fault('a'), fault('c', { at: '2026-01-31T10:00:01Z' })]);
    expect(joined.map((f) => f.request_id)).toEqual(['a', 'c', 'b']);
  });
  it('keep to the filters', () => {
    expect(fits(fault('a'), { range: '24h', caller: '', status: '5xx' })).toBe(true);
    expect(fits(fault('a'), { range: '24h', caller: 'key:4', status: '' })).toBe(false);
    expect(fits(fault('a', { status: 429 }), { range: '24h', caller: '', status: '4xx' })).toBe(false);
    expect([200, 304, 404, 429, 503, 101].map(classOf)).toEqual(['2xx', '3xx', '4xx', '429', '5xx', null]);
  });
});
