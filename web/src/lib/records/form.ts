// From records to what a form holds, and from that to what is sent. Nothing
// here asks anybody: what can be said without the server is said at once.
import { ApiError } from '../api';
import { isRef } from './text';
import type { FieldSpec, FormSpec, Values } from './types';

/** What the kind "until" holds: a span of seconds, a moment, or what was there. */
export interface Until {
  choice: string; // seconds from now; "" never, "at" the moment below, "keep" what is stored
  at: string; // of an input of type datetime-local
}

export const fieldsOf = (spec: FormSpec, isNew: boolean): FieldSpec[] =>
  spec.groups.flatMap((g) => g.fields).filter((f) => !f.only || (f.only === 'new') === isNew);

/** What a form begins with: those of a record, or the initial ones. */
export function initialValues(spec: FormSpec, row: Record<string, unknown> | null): Values {
  const values: Values = {};
  for (const f of fieldsOf(spec, row === null)) values[f.name] = row === null && f.kind === 'until' ? { choice: String(f.initial ?? ''), at: '' } : toForm(f, row === null ? f.initial : row[f.name]);
  return values;
}

function toForm(f: FieldSpec, value: unknown): unknown {
  switch (f.kind) {
    case 'boolean':
      return value === true;
    case 'number':
      return typeof value === 'number' ? String(value) : '';
    case 'user':
      return isRef(value) ? { value: String(value.id), label: value.name } : null;
    case 'model':
      return typeof value === 'string' && value ? { value, label: value } : null;
    case 'until':
      return { choice: typeof value === 'string' && value ? 'keep' : '', at: '' } satisfies Until;
    case 'headers':
      return value && typeof value === 'object' ? Object.entries(value).map(([k, v]) => `${k}: ${String(v)}`).join('\n') : '';
    case 'names':
      return Array.isArray(value) ? value.join(', ') : '';
    case 'addresses':
      return typeof value === 'string' ? value.split(/[\s,]+/).filter(Boolean).join('\n') : '';
    default:
      return typeof value === 'string' ? value : '';
  }
}

/** What the API takes of a field; undefined where nothing is to be sent. */
export function toWire(f: FieldSpec, value: unknown, now: Date): unknown {
  switch (f.kind) {
    case 'boolean':
      return value === true;
    case 'number':
      return String(value).trim() === '' ? undefined : Number(value);
    case 'user':
      return picked(value) ? Number(picked(value)) : null;
    case 'model':
      return picked(value);
    case 'until':
      return untilToWire(value as Until, now);
    case 'headers':
      return headersOf(String(value)).headers;
    case 'names': {
      const list = String(value).split(/[\s,]+/).filter(Boolean);
      return list.length > 0 ? list : null;
    }
    case 'addresses':
      return String(value).split(/[\s,]+/).filter(Boolean).join('\n') || null;
    case 'select':
      return value || null;
    default:
      return String(value).trim() || null;
  }
}

const picked = (value: unknown): string | null =>
  value && typeof value === 'object' && 'value' in value ? String(value.value) : null;

function untilToWire(value: Until, now: Date): string | null | undefined {
  if (value.choice === 'keep') return undefined;
  if (value.choice === '') return null;
  const at = value.choice === 'at' ? new Date(value.at) : new Date(now.getTime() + Number(value.choice) * 1000);
  return Number.isNaN(at.getTime()) ? null : `${at.toISOString().slice(0, 19)}Z`;
}

/** Headers written one a line, "Name: value"; problem is "" where they can be read. */
export function headersOf(lines: string): { headers: Record<string, string> | null; problem: string } {
  const headers: Record<string, string> = {};
  for (const line of lines.split('\n')) {
    if (!line.trim()) continue;
    const at = line.indexOf(':');
    const name = line.slice(0, at).trim();
    if (at < 1 || !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) return { headers: null, problem: `“${line.trim()}” is not “Name: value”` };
    headers[name] = line.slice(at + 1).trim();
  }
  return { headers: Object.keys(headers).length > 0 ? headers : null, problem: '' };
}

/** What is wrong with a value, "" for nothing. The server knows more. */
export function problemOf(f: FieldSpec, value: unknown, now: Date = new Date()): string {
  const missing = f.required && (value === null || (typeof value === 'string' && value.trim() === ''));
  if (missing) return f.kind === 'user' ? 'Choose a user' : f.kind === 'model' ? 'Choose a model' : `${f.label} is needed`;
  switch (f.kind) {
    case 'number': {
      const written = String(value).trim();
      if (written === '') return '';
      const n = Number(written);
      if (!Number.isInteger(n)) return 'Must be a whole number';
      if (f.min !== undefined && n < f.min) return `Must be ${f.min.toLocaleString('en')} or more`;
      if (f.max !== undefined && n > f.max) return `Must be ${f.max.toLocaleString('en')} or less`;
      return '';
    }
    case 'addresses': {
      const wrong = String(value).split(/[\s,]+/).filter(Boolean).find((a) => !isNetwork(a));
      return wrong ? `“${wrong}” is no address or range, such as 192.0.2.7 or 10.0.0.0/8` : '';
    }
    case 'headers':
      return headersOf(String(value)).problem;
    case 'until': {
      const u = value as Until;
      if (u.choice !== 'at') return '';
      const at = new Date(u.at);
      if (Number.isNaN(at.getTime())) return 'Choose a day and a time';
      return at.getTime() <= now.getTime() ? 'Must be in the future' : '';
    }
    default:
      return '';
  }
}

/** Whether a text looks like an IP address or CIDR range. */
export function isNetwork(value: string): boolean {
  const [address = '', bits, more] = value.split('/');
  if (more !== undefined || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return false;
  const v4 = address.split('.');
  if (v4.length === 4 && v4.every((p) => /^\d{1,3}$/.test(p) && Number(p) < 256)) return bits === undefined || Number(bits) <= 32;
  const v6 = /^[0-9a-f:]+(:\d{1,3}(\.\d{1,3}){3})?$/i.test(address) && address.includes(':') && (address.match(/::/g) ?? []).length <= 1;
  return v6 && (bits === undefined || Number(bits) <= 128);
}

export function problems(spec: FormSpec, values: Values, isNew: boolean, now: Date = new Date()): Record<string, string> {
  const all: Record<string, string> = {};
  for (const f of fieldsOf(spec, isNew)) {
    const problem = problemOf(f, values[f.name], now);
    if (problem) all[f.name] = problem;
  }
  return all;
}

/** What is sent: of a new record all that says something, of another what is changed. */
export function payload(spec: FormSpec, values: Values, before: Values, isNew: boolean, now: Date = new Date()): Values {
  const out: Values = {};
  for (const f of fieldsOf(spec, isNew)) {
    const value = toWire(f, values[f.name], now);
    if (value === undefined) continue;
    if (isNew ? value !== null : !same(values[f.name], before[f.name])) out[f.name] = value;
  }
  return out;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

export const isChanged = (values: Values, before: Values): boolean => !same(values, before);

/** An error of the server by fields; what belongs to none is under "". */
export function serverProblems(spec: FormSpec, error: unknown, isNew: boolean): Record<string, string> {
  const message = error instanceof Error ? error.message : String(error);
  const found: Record<string, string> = {};
  if (error instanceof ApiError) {
    for (const f of fieldsOf(spec, isNew)) {
      const problem = error.field(f.name);
      if (problem) found[f.name] = sentence(problem, message);
    }
  }
  return Object.keys(found).length > 0 ? found : { '': message };
}

/** Short details such as "must be unique" say less than the message does. */
function sentence(problem: string, message: string): string {
  const brief = /^(required|does not exist|must be unique|is blocked already)$/.test(problem);
  const full = brief ? message : problem;
  return full.charAt(0).toUpperCase() + full.slice(1);
}
