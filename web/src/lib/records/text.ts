// How values of records are written.
import { moment, number, time } from '../format';
import type { Row } from './types';

const none = '–';

export interface Ref {
  id: number;
  name: string;
}

export function isRef(value: unknown): value is Ref {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'number';
}

export const text = (value: unknown): string => (typeof value === 'string' ? value : '');
export const count = (value: unknown): number => (typeof value === 'number' ? value : 0);
export const refName = (value: unknown): string => (isRef(value) ? value.name : '');

const isTime = (value: string): boolean => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(value);

/** Any value in few words. */
export function plain(value: unknown): string {
  if (value === null || value === undefined || value === '') return none;
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (typeof value === 'number') return number(value, Number.isInteger(value) ? 0 : Math.min(4, decimals(value)));
  if (typeof value === 'string') return isTime(value) ? time(value) : value;
  if (isRef(value)) return value.name || `#${value.id}`;
  if (Array.isArray(value)) return value.length === 0 ? none : value.map((v) => (typeof v === 'number' ? `#${v}` : plain(v))).join(', ');
  return JSON.stringify(value);
}

const decimals = (value: number): number => (String(value).split('.')[1] ?? '').length;

/** Limits of a profile, key or client: 60 / min · 1,000 / h. */
export function limits(row: Row): string {
  const parts: [string, string][] = [['limit_minute', 'min'], ['limit_hour', 'h'], ['limit_day', 'd']];
  const set = parts.filter(([name]) => count(row[name]) > 0).map(([name, unit]) => `${number(count(row[name]))} / ${unit}`);
  return set.length > 0 ? set.join(' · ') : none;
}

/** Lines of a list of addresses, in few words. */
export function addresses(value: unknown): string {
  const list = text(value).split(/[\s,]+/).filter(Boolean);
  if (list.length === 0) return 'Any';
  return list.length === 1 ? (list[0] as string) : `${list[0]} + ${number(list.length - 1)}`;
}

export const past = (value: unknown, now: Date = new Date()): boolean => {
  const date = moment(text(value));
  return date !== null && date.getTime() <= now.getTime();
};

/** A moment as domains take it: UTC, "2026-01-31 10:30:00". */
export const stamp = (date: Date): string => date.toISOString().slice(0, 19).replace('T', ' ');

/** A curl line; texts are quoted for a POSIX shell. */
export function curl(method: string, url: string, headers: string[], body = ''): string {
  const parts = ['curl'];
  if (method !== 'GET') parts.push('-X', method);
  for (const h of headers) parts.push('-H', quote(h));
  if (body) parts.push('-d', quote(body));
  parts.push(quote(url));
  return parts.join(' ');
}

const quote = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;
