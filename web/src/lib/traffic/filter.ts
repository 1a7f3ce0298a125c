// Which records of the traffic log are shown: what the address of the page
// says, and the domain that asks the API for it.
import type { Domain } from '../api';

export interface Filter {
  search: string;
  /** Days or moments as an input of type datetime-local gives them, in the browser's zone. */
  from: string;
  to: string;
  user: string;
  caller: string;
  /** The id of an API profile: the traffic of its user. */
  profile: string;
  status: string;
  method: string;
  model: string;
  route: string;
}

export const keys = ['search', 'from', 'to', 'user', 'caller', 'profile', 'status', 'method', 'model', 'route'] as const satisfies (keyof Filter)[];

export function filterOf(query: URLSearchParams): Filter {
  const filter = {} as Filter;
  for (const key of keys) filter[key] = query.get(key) ?? '';
  return filter;
}

export const isEmpty = (f: Filter): boolean => keys.every((key) => f[key] === '');

const spans: Record<string, [number, number]> = { '1xx': [100, 200], '2xx': [200, 300], '3xx': [300, 400], '4xx': [400, 500], '5xx': [500, 600] };

/**
 * A class of statuses (4xx is without 429, a class of its own), one status, or
 * "errors" for all from 400 on. [] for whatever else.
 */
export function statusDomain(status: string): Domain {
  if (status === 'errors') return [['status', '>=', 400]];
  const span = spans[status];
  if (span) {
    const domain: Domain = [['status', '>=', span[0]], ['status', '<', span[1]]];
    if (status === '4xx') domain.push(['status', '!=', 429]);
    return domain;
  }
  return /^[1-5]\d\d$/.test(status) ? [['status', '=', Number(status)]] : [];
}

/** A moment of the browser's zone, or with one of its own, as the API takes it; null for none. */
export function utc(text: string, end = false): string | null {
  const day = /^\d{4}-\d\d-\d\d$/.test(text);
  const date = new Date(day ? `${text}T${end ? '23:59:59' : '00:00:00'}` : text);
  if (text === '' || Number.isNaN(date.getTime())) return null;
  return date.toISOString().slice(0, 19).replace('T', ' ');
}

/** The domain of a filter; profileUser is the user of its profile, once that is known. */
export function domainOf(f: Filter, profileUser: number | null = null): Domain {
  const domain: Domain = [];
  if (f.search) {
    domain.push('|', '|', ['path', 'ilike', f.search], ['request_id', '=', f.search.trim()], ['error_message', 'ilike', f.search]);
  }
  const from = utc(f.from);
  const to = utc(f.to, true);
  if (from) domain.push(['create_date', '>=', from]);
  if (to) domain.push(['create_date', '<=', to]);
  if (f.user) domain.push(['login', '=', f.user]);
  if (f.caller) domain.push(['caller', '=', f.caller]);
  if (f.profile) domain.push(['user_id', '=', profileUser ?? 0]);
  domain.push(...statusDomain(f.status));
  if (f.method) domain.push(['method', '=', f.method]);
  if (f.model) domain.push(['model', '=', f.model]);
  if (f.route) domain.push(['route', '=', f.route]);
  return domain;
}

const orders = ['id', 'status', 'latency_ms', 'bytes_out', 'path', 'login'] as const;
export type Column = (typeof orders)[number];

export interface Order {
  column: Column;
  down: boolean;
}

/** The order that an address names; newest first if it names none. */
export function orderOf(text: string | null): Order {
  const [name = '', way = ''] = (text ?? '').split(' ');
  return orders.includes(name as Column) ? { column: name as Column, down: way === 'desc' } : { column: 'id', down: true };
}

/** As the API takes it; among equals the newest comes first. */
export function orderText(o: Order): string {
  const first = `${o.column} ${o.down ? 'desc' : 'asc'}`;
  return o.column === 'id' ? first : `${first}, id desc`;
}
