// What the live connection says, and how long to wait for the next try. No
// I/O: board.svelte.ts does that.
import type { StatusClass, Question, Telemetry } from './telemetry';

export interface Tick {
  type: 'tick';
  at: string;
  requests: number;
  errors: number;
  server_errors: number;
  rate_limited: number;
  rps: number;
  mean_ms: number | null;
  error_rate: number | null;
}

/** A failed request, as the live connection tells of it. */
export interface Fault {
  request_id: string;
  at: string;
  method: string;
  path: string;
  status: number;
  latency_ms: number;
  ip: string;
  login: string;
  caller: string;
  error_type: string;
  error_message: string;
}

export type Message = { type: 'hello' } | Tick | { type: 'fault'; fault: Fault };

/** A message of the live connection, null for one that is not understood. */
export function parseMessage(text: unknown): Message | null {
  if (typeof text !== 'string') return null;
  try {
    const m = JSON.parse(text) as { type?: unknown; fault?: unknown; at?: unknown };
    if (m.type === 'hello') return { type: 'hello' };
    if (m.type === 'tick' && typeof m.at === 'string') return m as Tick;
    if (m.type === 'fault' && typeof m.fault === 'object' && m.fault !== null) return { type: 'fault', fault: m.fault as Fault };
  } catch {
    // not JSON: a message of a newer server, or none of it
  }
  return null;
}

const first = 1000;
const most = 30_000;

/**
 * How many milliseconds to wait before the nth try to connect anew (from 0).
 * It doubles up to half a minute; a part is chance (0 to 1), so that the pages
 * of a server that restarts do not all come back at once.
 */
export function reconnectDelay(attempt: number, chance: number): number {
  const whole = Math.min(first * 2 ** Math.min(attempt, 16), most);
  return Math.round(whole * (0.5 + chance / 2));
}

/** How many seconds until the next poll; every failure in a row doubles it, up to two minutes. */
export function pollDelay(seconds: number, failures: number): number {
  return Math.min(seconds * 2 ** Math.min(failures, 10), Math.max(seconds, 120));
}

/** The class of a status, as the filter names it; null for statuses below 200. */
export function classOf(status: number): StatusClass | null {
  if (status === 429) return '429';
  if (status >= 200 && status < 600) return `${Math.floor(status / 100)}xx` as StatusClass;
  return null;
}

/** Whether a fault is among what the filters let through. */
export function fits(fault: Fault, q: Question): boolean {
  return (!q.caller || fault.caller === q.caller) && (!q.status || classOf(fault.status) === q.status);
}

/**
 * The figures with a second of traffic more, until they are read anew. Only
 * what adds up is changed, and only without filters: a tick does not know them.
 */
export function mergeTick(t: Telemetry, tick: Tick): Telemetry {
  const filtered = t.filters.caller !== '' || t.filters.status !== '';
  const known = Date.parse(tick.at) - 1000 < Date.parse(t.generated_at);
  const kpis = { ...t.kpis, requests_per_second: tick.rps };
  if (filtered || known || tick.requests === 0) return { ...t, kpis };
  // As in the chart, an error is a status from 400 on that is not 429.
  kpis.total_requests += tick.requests;
  kpis.server_errors += tick.server_errors;
  kpis.rate_limited += tick.rate_limited;
  kpis.client_errors += Math.max(0, tick.errors - tick.server_errors);
  const traffic = t.traffic.slice();
  const last = traffic.at(-1);
  if (last) {
    traffic[traffic.length - 1] = {
      at: last.at,
      total: last.total + tick.requests,
      errors: last.errors + tick.errors,
      rate_limited: last.rate_limited + tick.rate_limited,
    };
  }
  return { ...t, kpis, traffic };
}

/** How many faults the feed holds. */
export const feedSize = 200;

/** Puts a fault before the others, once. */
export function mergeFault<F extends { request_id: string }>(faults: F[], fault: F): F[] {
  if (faults.some((f) => f.request_id === fault.request_id)) return faults;
  return [fault, ...faults].slice(0, feedSize);
}

/** Joins what came live with what was read since: newest first, no request twice. */
export function joinFaults<F extends { request_id: string; at: string }>(read: F[], live: F[]): F[] {
  const known = new Set(read.map((f) => f.request_id));
  return [...live.filter((f) => !known.has(f.request_id)), ...read]
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
    .slice(0, feedSize);
}

/**
 * Tells traffic of others from this page's own: whoever reads anew because of
 * traffic, and makes traffic by it, never rests. (What asks for telemetry is no
 * traffic to the server.)
 */
export class OwnTraffic {
  private open = 0;
  made(requests = 1): void {
    this.open += requests;
  }
  /** Ticks were missed, and what was made is in none to come. */
  forget(): void {
    this.open = 0;
  }
  /** How many requests of a tick are not this page's. */
  foreign(requests: number): number {
    const own = Math.min(this.open, requests);
    this.open -= own;
    return requests - own;
  }
}
