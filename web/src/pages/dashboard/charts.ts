// How the charts look. A chart is a function of the telemetry and of the
// colours of the theme; Chart.svelte draws what comes of it.
import type { EChartsCoreOption } from 'echarts/core';
import { compact, duration, number } from '../../lib/format';
import { fade, type Palette } from './palette';
import * as s from './series';
import type { StatusClass, Telemetry } from './telemetry';

export type Option = EChartsCoreOption;
type Param = { name: string; value: number; dataIndex: number; seriesName: string; marker: unknown };

function base(p: Palette): Option {
  return { textStyle: { fontFamily: p.font, color: p.text }, animationDuration: 500, animationDurationUpdate: 400 };
}

// renderMode: the content security policy lets no style through that stands in HTML.
function tooltip(p: Palette, more: object): object {
  return {
    renderMode: 'richText', confine: true, backgroundColor: p.surface, borderColor: p.line, borderWidth: 1, padding: [8, 10],
    textStyle: { color: p.text, fontSize: 12.5, fontFamily: p.font, lineHeight: 18 }, ...more,
  };
}

const requests = (n: number) => `${number(n)} ${n === 1 ? 'request' : 'requests'}`;
const small = (p: Palette) => ({ color: p.muted, fontSize: 12, fontFamily: p.font });
const counts = (p: Palette) => ({
  type: 'value', minInterval: 1, splitNumber: 4, axisLabel: { ...small(p), formatter: (v: number) => compact(v) },
  splitLine: { lineStyle: { color: p.line } },
});

/** Requests, errors and rate-limited requests over time. */
export function traffic(buckets: Telemetry['traffic'], bucket: Telemetry['bucket'], p: Palette): Option {
  const l = s.lines(buckets, bucket);
  const area = (name: string, data: number[], colour: string, z: number) => ({
    id: name, name, type: 'line', data, z, showSymbol: false, symbolSize: 7, smooth: 0.25, smoothMonotone: 'x', lineStyle: { width: 2, color: colour },
    itemStyle: { color: colour }, emphasis: { disabled: true },
    areaStyle: { color: { type: 'linear', x: 0, y: 0, x2: 0, y2: 1, colorStops: [{ offset: 0, color: fade(colour, 0.32) }, { offset: 1, color: fade(colour, 0.03) }] } },
  });
  return {
    ...base(p),
    grid: { left: 44, right: 22, top: 12, bottom: 26 },
    tooltip: tooltip(p, {
      trigger: 'axis', axisPointer: { lineStyle: { color: p.muted } },
      formatter: (params: Param[]) => {
        const at = params[0]?.dataIndex ?? 0;
        return [l.titles[at], ...params.map((x) => `${x.seriesName}: ${number(x.value)}`)].join('\n');
      },
    }),
    xAxis: {
      type: 'category', data: l.names, boundaryGap: false, axisTick: { show: false }, axisLine: { lineStyle: { color: p.line } },
      axisLabel: { ...small(p), hideOverlap: true },
    },
    yAxis: counts(p),
    series: [area('Requests', l.total, p.accent, 2), area('Errors', l.errors, p.bad, 3), area('Rate-limited', l.limited, p.limited, 4)],
  };
}

/** A ring of parts; what stands in its middle is the page's. */
export function donut(slices: s.Slice[], colours: string[], p: Palette): Option {
  const all = s.sum(slices);
  return {
    ...base(p),
    tooltip: tooltip(p, { trigger: 'item', formatter: (x: Param) => `${x.name}\n${requests(x.value)}, ${s.share(x.value, all)}` }),
    series: [{
      id: 'ring', type: 'pie', radius: ['66%', '94%'], padAngle: slices.length > 1 ? 1.5 : 0, label: { show: false }, labelLine: { show: false },
      itemStyle: { borderRadius: 3 }, emphasis: { scaleSize: 4 }, color: colours,
      data: slices.map((x) => ({ name: x.name, value: x.count })),
    }],
  };
}

/** Health from 0 to 100. */
export function health(t: Telemetry, p: Palette): Option {
  const colour = { good: p.good, fair: p.warn, poor: p.bad }[t.health.level];
  const zones = [[s.fairFrom / 100, fade(p.bad, 0.35)], [s.goodFrom / 100, fade(p.warn, 0.4)], [1, fade(p.good, 0.4)]];
  const arc = { type: 'gauge', min: 0, max: 100, startAngle: 210, endAngle: -30, center: ['50%', '60%'], axisTick: { show: false }, splitLine: { show: false } };
  return {
    ...base(p),
    series: [
      {
        ...arc, id: 'zones', radius: '96%', silent: true, pointer: { show: false }, detail: { show: false }, axisLine: { lineStyle: { width: 5, color: zones } },
        splitNumber: 2, axisLabel: { ...small(p), distance: 26 }, data: [],
      },
      {
        ...arc, id: 'health', radius: '88%', silent: true, pointer: { show: false }, axisLabel: { show: false },
        axisLine: { roundCap: true, lineStyle: { width: 14, color: [[1, p.raised]] } },
        progress: { show: true, roundCap: true, width: 14, itemStyle: { color: colour } },
        title: { offsetCenter: [0, '26%'], color: colour, fontSize: 15, fontWeight: 600, fontFamily: p.font },
        detail: { offsetCenter: [0, '-6%'], valueAnimation: true, formatter: (v: number) => number(v), color: p.text, fontSize: 40, fontWeight: 700, fontFamily: p.font },
        data: [{ value: t.health.score, name: s.levels[t.health.level] }],
      },
    ],
  };
}

/** Bars to the right, each below its name and its figure, so that long names have room. */
function across(names: string[], values: number[], p: Palette, colour: string, room: number, say: (v: number) => string, hint: (i: number) => string): Option {
  const axis = (data: string[], position: 'left' | 'right', more: object) => ({
    type: 'category', data, position, inverse: true, axisLine: { show: false }, axisTick: { show: false }, z: 5,
    axisLabel: { inside: true, margin: 0, padding: [0, 0, 9, 0], verticalAlign: 'bottom', align: position, color: p.text, fontSize: 12.5, fontFamily: p.font, interval: 0, ...more },
  });
  const bars = { type: 'bar', barWidth: 8 };
  return {
    ...base(p),
    grid: { left: 0, right: 0, top: 12, bottom: 0 },
    tooltip: tooltip(p, { trigger: 'item', formatter: (x: Param) => `${names[x.dataIndex]}\n${hint(x.dataIndex)}` }),
    xAxis: { type: 'value', show: false, min: 0, max: 'dataMax' },
    yAxis: [axis(names, 'left', { width: room, overflow: 'truncate' }), axis(values.map((v, i) => say(v) + '\u200b'.repeat(i)), 'right', { fontWeight: 600 })],
    series: [
      { ...bars, id: 'bars', data: values, showBackground: true, backgroundStyle: { color: p.raised, borderRadius: 4 }, itemStyle: { color: colour, borderRadius: 4 }, barMinHeight: 3 },
      { ...bars, id: 'figures', yAxisIndex: 1, data: values.map(() => 0), silent: true },
    ],
  };
}

/** The endpoints that take longest; their names have so many pixels. */
export function slowest(t: Telemetry, p: Palette, room: number): Option {
  const of = t.slowest_endpoints;
  return across(of.map((e) => e.endpoint), of.map((e) => e.mean_ms), p, p.parts[2] ?? p.accent, room, (v) => duration(v),
    (i) => `Mean ${duration(of[i]?.mean_ms)} of ${requests(of[i]?.count ?? 0)}`);
}

/** The addresses with most requests. */
export function addresses(t: Telemetry, p: Palette): Option {
  const of = s.addresses(t);
  return across(of.map((a) => a.name), of.map((a) => a.count), p, p.parts[1] ?? p.accent, 250, (v) => number(v),
    (i) => `${requests(of[i]?.count ?? 0)}, ${s.share(of[i]?.count ?? 0, t.kpis.total_requests)} of all`);
}

/** Upright bars with their figure on top. */
function upright(slices: s.Slice[], colours: string[], p: Palette): Option {
  const all = s.sum(slices);
  return {
    ...base(p),
    grid: { left: 4, right: 4, top: 26, bottom: 26 },
    tooltip: tooltip(p, { trigger: 'item', formatter: (x: Param) => `${x.name}\n${requests(x.value)}, ${s.share(x.value, all)}` }),
    xAxis: { type: 'category', data: slices.map((x) => x.name), axisTick: { show: false }, axisLine: { lineStyle: { color: p.line } }, axisLabel: { ...small(p), interval: 0 } },
    yAxis: { ...counts(p), show: false },
    series: [{
      id: 'bars', type: 'bar', barMaxWidth: 56, barCategoryGap: '28%', barMinHeight: 2,
      data: slices.map((x, i) => ({ value: x.count, itemStyle: { color: colours[i] ?? p.accent, borderRadius: [4, 4, 0, 0] } })),
      label: { show: true, position: 'top', formatter: (x: Param) => compact(x.value), color: p.text, fontSize: 12.5, fontFamily: p.font },
    }],
  };
}

/** How many requests took how long: from quick to slow, green to red. */
export function latency(t: Telemetry, p: Palette): Option {
  return upright(s.latencies(t).map((x) => ({ ...x, name: x.name.replace(' ms', '') })), [p.good, p.good, p.accent, p.warn, p.bad], p);
}

const methodColour = (method: string, p: Palette): string =>
  ({ GET: p.accent, POST: p.good, PUT: p.warn, PATCH: p.warn, DELETE: p.bad })[method] ?? p.parts[5] ?? p.muted;

export function methods(t: Telemetry, p: Palette): Option {
  const of = s.methods(t);
  return upright(of, of.map((m) => methodColour(m.name, p)), p);
}

export const statusColour = (key: StatusClass, p: Palette): string =>
  ({ '2xx': p.good, '3xx': p.accent, '4xx': p.warn, '5xx': p.bad, '429': p.limited })[key];

/** Rings: how much of the open queue waits, and how much has failed. */
export function queue(t: Telemetry, p: Palette): Option {
  const q = s.queue(t);
  const ring = (id: string, radius: string, value: number, colour: string) => ({
    id, type: 'gauge', radius, startAngle: 90, endAngle: -270, min: 0, max: Math.max(q.open, 1), silent: true, pointer: { show: false }, axisTick: { show: false },
    splitLine: { show: false }, axisLabel: { show: false }, axisLine: { roundCap: true, lineStyle: { width: 13, color: [[1, p.raised]] } },
    progress: { show: value > 0, roundCap: value < q.open, width: 13, itemStyle: { color: colour } }, title: { show: false }, detail: { show: false }, data: [{ value }],
  });
  return { ...base(p), series: [ring('pending', '96%', q.waiting, p.accent), ring('failed', '74%', q.failed, p.bad)] };
}
