import { describe, expect, it } from 'vitest';
import * as draw from './charts';
import { callerName } from './callers';
import { kpis } from './kpis';
import { fade, type Palette } from './palette';
import { telemetry } from './sample';
import * as s from './series';

const palette: Palette = {
  text: 'rgb(1, 1, 1)', muted: 'rgb(2, 2, 2)', line: 'rgb(3, 3, 3)', surface: 'rgb(4, 4, 4)', raised: 'rgb(5, 5, 5)', accent: 'rgb(6, 6, 6)', good: 'rgb(7, 7, 7)',
  warn: 'rgb(8, 8, 8)', bad: 'rgb(9, 9, 9)', limited: 'rgb(10, 10, 10)', parts: ['rgb(11, 1, 1)', 'rgb(12, 1, 1)'], font: 'sans',
};

describe('series', () => {
  it('have a name and a figure for every bucket', () => {
    const t = telemetry();
    const l = s.lines(t.traffic, t.bucket);
    expect([l.names, l.titles, l.total, l.errors, l.limited].map((x) => x.length)).toEqual([24, 24, 24, 24, 24]);
    expect(s.trafficTable(t).rows[23]?.slice(1)).toEqual(['523', '23', '3']);
  });
  it('name days as the server counts them, in UTC', () => {
    expect(s.bucketName('2026-01-31T00:00:00Z', 'day')).toBe('31 Jan');
    expect(s.bucketTitle('2026-01-31T00:00:00Z', 'day')).toMatch(/31 Jan 2026/);
  });
  it('add what the top endpoints leave', () => {
    const t = telemetry();
    expect(s.endpoints(t).at(-1)).toEqual({ name: 'All others', count: 2345 });
    expect(s.sum(s.endpoints(t))).toBe(t.kpis.total_requests);
    expect(s.endpoints({ ...t, top_endpoints: [] })).toEqual([]);
  });
  it('show 3xx only where there are any', () => {
    const t = telemetry();
    expect(s.statuses(t).map((x) => x.key)).toEqual(['2xx', '3xx', '4xx', '5xx', '429']);
    t.status_classes['3xx'] = 0;
    expect(s.statuses(t).map((x) => x.key)).toEqual(['2xx', '4xx', '5xx', '429']);
  });
  it('share out, also nothing', () => {
    expect(s.share(1, 3)).toBe('33.3 %');
    expect(s.share(0, 0)).toBe('–');
    expect(s.queue(telemetry())).toMatchObject({ waiting: 3, failed: 2, open: 5 });
  });
  it('tell whether anybody has asked yet', () => {
    const own = ['POST /api/v1/auth/session', 'GET /api/v1/telemetry', 'GET /api/v1/{model} gateway.log', 'GET /api/v1/{model}/{id} gateway.log'];
    const t = { ...telemetry(), slowest_endpoints: [], top_endpoints: own.map((endpoint) => ({ endpoint, count: 1 })) };
    expect(s.untouched(t)).toBe(true);
    expect(s.untouched({ ...t, top_endpoints: [] })).toBe(true);
    expect(s.untouched({ ...t, filters: { caller: '', status: '5xx' } })).toBe(false);
    for (const endpoint of ['GET /api/v1/ping', 'GET /api/v1/{model} res.partner', 'GET /api/v1/authors', 'GET /api/v1/{model}']) {
      expect(s.untouched({ ...t, top_endpoints: [{ endpoint, count: 1 }] }), endpoint).toBe(false);
    }
  });
  it('say it in a sentence', () => {
    expect(s.summary(telemetry())).toBe('12,345 requests, error rate 2.5 percent, 20 server errors, health 93 of 100');
  });
});

describe('charts', () => {
  const data = (option: draw.Option, i = 0): unknown[] => ((option.series as { data: unknown[] }[])[i] as { data: unknown[] }).data;
  it('draw what was measured', () => {
    const t = telemetry();
    const area = draw.traffic(t.traffic, t.bucket, palette);
    expect((area.series as unknown[]).length).toBe(3);
    expect(data(area)).toHaveLength(24);
    expect(data(draw.health(t, palette), 1)).toEqual([{ value: 93, name: 'Good' }]);
    expect(data(draw.slowest(t, palette, 200))).toEqual([210.5, 45.25]);
    expect(data(draw.addresses(t, palette))).toEqual([8000, 4345]);
    expect(data(draw.latency(t, palette))).toHaveLength(5);
    expect(data(draw.queue(t, palette))).toEqual([{ value: 3 }]);
    expect(data(draw.queue(t, palette), 1)).toEqual([{ value: 2 }]);
  });
  it('put no style into HTML, which the content security policy refuses', () => {
    const t = telemetry();
    for (const option of [draw.traffic(t.traffic, t.bucket, palette), draw.donut(s.endpoints(t), [], palette), draw.slowest(t, palette, 200), draw.latency(t, palette), draw.methods(t, palette)]) {
      expect((option.tooltip as { renderMode: string }).renderMode).toBe('richText');
    }
  });
  it('let colours through', () => {
    expect(fade('rgb(1, 2, 3)', 0.5)).toBe('rgba(1,2,3,0.5)');
    expect(fade('#123456', 0.5)).toBe('#123456');
  });
});

describe('key figures', () => {
  it('are all there, each once, and can be written', () => {
    const t = telemetry();
    expect(new Set(kpis.map((k) => k.key))).toEqual(new Set(Object.keys(t.kpis)));
    expect(kpis).toHaveLength(21);
    for (const k of kpis) {
      expect(k.say(null), k.key).toBe('–');
      expect(k.say(t.kpis[k.key]), k.key).not.toBe('–');
    }
  });
  it('name callers', () => {
    expect(callerName('key:3', 'ci')).toBe('ci (key)');
    expect(callerName('client:4')).toBe('client 4');
    expect(callerName('anonymous')).toBe('Anonymous');
  });
});
