// The client of Gatehouse's own API. The browser sends the session cookie
// itself; a 401 ends the session on this side too.

export interface Meta {
  total?: number;
  limit?: number;
  offset?: number;
  [key: string]: unknown;
}

export interface Answer<T> {
  data: T;
  message: string;
  meta: Meta;
}

/** An error of the API's envelope, or of the way to it (code 0). */
export class ApiError extends Error {
  constructor(
    readonly code: number,
    readonly type: string,
    message: string,
    readonly details: unknown = undefined,
    readonly requestId: string = '',
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** What is wrong with one field of a form, "" for nothing. */
  field(name: string): string {
    const details = this.details as Record<string, unknown> | null | undefined;
    const problem = details && typeof details === 'object' ? details[name] : undefined;
    return typeof problem === 'string' ? problem : '';
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>;

export interface Options {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** A 401 is the caller's to handle, as at the login. */
  quiet?: boolean;
}

let lost: () => void = () => {};

/** Says what happens when the API knows the session no more. */
export function onSessionLost(then: () => void): void {
  lost = then;
}

/** One request. The path begins with /api/. Throws an ApiError. */
export async function request<T>(method: string, path: string, options: Options = {}): Promise<Answer<T>> {
  const init: RequestInit = { method, credentials: 'same-origin', headers: { Accept: 'application/json' } };
  if (options.signal) init.signal = options.signal;
  if (options.body !== undefined) {
    init.body = JSON.stringify(options.body);
    init.headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
  }
  let response: Response;
  try {
    response = await fetch(path + queryText(options.query), init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'unreachable', 'Gatehouse cannot be reached');
  }
  const envelope: unknown = await response.json().catch(() => null);
  if (response.ok && isRecord(envelope) && envelope.success === true) {
    return {
      data: envelope.data as T,
      message: typeof envelope.message === 'string' ? envelope.message : '',
      meta: isRecord(envelope.meta) ? envelope.meta : {},
    };
  }
  const error = failure(response, envelope);
  if (error.code === 401 && !options.quiet) lost();
  throw error;
}

function failure(response: Response, envelope: unknown): ApiError {
  const e = isRecord(envelope) && isRecord(envelope.error) ? envelope.error : {};
  const text = (value: unknown, otherwise: string) => (typeof value === 'string' && value ? value : otherwise);
  return new ApiError(
    response.status,
    text(e.type, 'unknown'),
    text(e.message, `Unexpected answer: ${response.status} ${response.statusText}`),
    e.details,
    text(e.request_id, response.headers.get('X-Request-Id') ?? ''),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function queryText(query: Query | undefined): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== '') params.set(name, String(value));
  }
  const text = params.toString();
  return text ? `?${text}` : '';
}

/** A domain as the API takes it: [["state","=","done"]]. */
export type Domain = (string | [string, string, unknown])[];

export interface ListQuery {
  domain?: Domain;
  fields?: string[];
  order?: string;
  limit?: number;
  offset?: number;
  count?: 'exact' | 'none';
}

const base = '/api/v1/';
const at = (model: string, ...rest: (string | number)[]) => base + [model, ...rest].map((part) => encodeURIComponent(part)).join('/');

/** A page of records; meta.total is how many there are in all. */
export function list<T>(model: string, query: ListQuery = {}, signal?: AbortSignal): Promise<Answer<T[]>> {
  const { domain, fields, ...rest } = query;
  const flat: Query = { ...rest };
  if (domain && domain.length > 0) flat.domain = JSON.stringify(domain);
  if (fields) flat.fields = fields.join(',');
  return request<T[]>('GET', at(model), { query: flat, signal });
}

export function get<T>(model: string, id: number, fields?: string[], signal?: AbortSignal): Promise<Answer<T>> {
  return request<T>('GET', at(model, id), { query: { fields: fields?.join(',') }, signal });
}

/** Creates a record; data has its id, and a secret that is shown once. */
export function create<T = { id: number }>(model: string, values: object): Promise<Answer<T>> {
  return request<T>('POST', at(model), { body: values });
}

export function write<T = { id: number }>(model: string, id: number, values: object): Promise<Answer<T>> {
  return request<T>('PATCH', at(model, id), { body: values });
}

export function remove(model: string, id: number): Promise<Answer<{ id: number }>> {
  return request('DELETE', at(model, id));
}

/** Calls a method of a record, or of the model where id is null. */
export function call<T = unknown>(model: string, id: number | null, method: string, args: object = {}): Promise<Answer<T>> {
  return request<T>('POST', id === null ? at(model, method) : at(model, id, method), { body: args });
}

/** What to tell people about an error that was caught. */
export function explain(error: unknown): string {
  if (error instanceof ApiError) {
    return error.code >= 500 && error.requestId ? `${error.message} (request ${error.requestId})` : error.message;
  }
  return error instanceof Error ? error.message : String(error);
}
