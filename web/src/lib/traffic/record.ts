// A record of the traffic log (model gateway.log), and what is shown of it.

export interface LogRecord {
  id: number;
  create_date: string;
  request_id: string;
  trace_id: string | null;
  method: string;
  path: string;
  route: string | null;
  model: string | null;
  query: string | null;
  status: number;
  latency_ms: number;
  steps: unknown;
  bytes_in: number | null;
  bytes_out: number | null;
  ip: string | null;
  user_agent: string | null;
  user_id: { id: number; name: string } | null;
  login: string | null;
  credential: string | null;
  credential_id: number | null;
  caller: string | null;
  error_type: string | null;
  error_message: string | null;
  stack: string | null;
  request_headers: unknown;
  request_body: string | null;
  response_body: string | null;
  level: string | null;
}

export const model = 'gateway.log';

/** The fields of a line in a table. */
export const lineFields = [
  'id', 'create_date', 'request_id', 'method', 'path', 'route', 'model', 'query', 'status', 'latency_ms', 'bytes_in', 'bytes_out',
  'ip', 'user_id', 'login', 'credential', 'caller', 'error_type', 'error_message',
];

export interface Step {
  name: string;
  ms: number;
}

/** The steps of the pipeline and how long each took: an object, or a list, in JSON or read already. */
export function stepsOf(value: unknown): Step[] {
  const parsed = typeof value === 'string' ? json(value) : value;
  const step = (name: unknown, ms: unknown): Step[] =>
    typeof ms === 'number' && Number.isFinite(ms) ? [{ name: String(name), ms }] : [];
  if (Array.isArray(parsed)) {
    return parsed.flatMap((s: unknown, i) => {
      if (typeof s === 'number') return step(i + 1, s);
      const part = (s ?? {}) as Record<string, unknown>;
      return step(part.name ?? part.step ?? i + 1, part.ms ?? part.latency_ms);
    });
  }
  if (parsed && typeof parsed === 'object') return Object.entries(parsed).flatMap(([name, ms]) => step(name, ms));
  return [];
}

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A body as it reads best: JSON with indents, everything else as it is. */
export function pretty(value: unknown): string {
  if (value === null || value === undefined || value === '') return '';
  const parsed = typeof value === 'string' ? json(value) : value;
  if (parsed && typeof parsed === 'object') return JSON.stringify(parsed, null, 2);
  return String(value);
}

/** Headers by name, of an object or of lines "Name: value". */
export function headersOf(value: unknown): [string, string][] {
  const parsed = typeof value === 'string' ? (json(value) ?? value) : value;
  if (typeof parsed === 'string') {
    return parsed.split(/\r?\n/).flatMap((line) => {
      const i = line.indexOf(':');
      return i > 0 ? [[line.slice(0, i).trim(), line.slice(i + 1).trim()] as [string, string]] : [];
    });
  }
  if (!parsed || typeof parsed !== 'object') return [];
  return Object.entries(parsed).map(([name, v]) => [name, Array.isArray(v) ? v.join(', ') : String(v)]);
}

// What a client sets itself, or must not be repeated.
const own = new Set(['host', 'connection', 'content-length', 'accept-encoding', 'user-agent', 'cookie', 'authorization', 'x-api-key',
  'proxy-authorization', 'origin', 'referer', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'x-request-id', 'via', 'forwarded']);
const notRepeated = (name: string) => own.has(name) || /^(sec-|x-forwarded-|x-real-ip)|secret|token|password|session/.test(name);

// A value that the log has blotted out.
const blotted = /\*{4,}/;

/**
 * A curl line that repeats the request. The credential is a variable of the
 * shell, for the log holds no secrets; what the log has blotted out stays so.
 */
export function curl(r: LogRecord, origin: string): string {
  const place = origin + r.path + (r.query ? `?${r.query}` : '');
  const parts = [`curl${/[[\]{}]/.test(place) ? ' -g' : ''}${r.method === 'GET' ? '' : ` -X ${word(r.method)}`} ${quote(place)}`];
  if (r.credential === 'api_key') parts.push('-H "X-API-Key: $KEY"');
  else if (r.credential) parts.push('-H "Authorization: Bearer $TOKEN"');
  let typed = false;
  for (const [name, value] of headersOf(r.request_headers)) {
    const lower = name.toLowerCase();
    if (notRepeated(lower) || blotted.test(value)) continue;
    typed ||= lower === 'content-type';
    parts.push(`-H ${quote(`${name}: ${value}`)}`);
  }
  if (r.request_body) {
    if (!typed) parts.push("-H 'Content-Type: application/json'");
    parts.push(`--data-raw ${quote(r.request_body)}`);
  }
  return parts.join(' \\\n  ');
}

const word = (text: string) => (/^[A-Za-z]+$/.test(text) ? text : quote(text));

/** A text as one word of a POSIX shell. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The tone of a status: what went well, what the caller did wrong, what we did. */
export function toneOf(status: number): 'good' | 'warn' | 'bad' | 'accent' | 'neutral' {
  if (status >= 500) return 'bad';
  if (status >= 400) return 'warn';
  if (status >= 300) return 'accent';
  return status >= 200 ? 'good' : 'neutral';
}

export const csvHead = ['time', 'request_id', 'method', 'path', 'query', 'route', 'model', 'status', 'latency_ms', 'bytes_in', 'bytes_out', 'ip',
  'login', 'credential', 'caller', 'error_type', 'error_message'];

/** A record as a line of the export. */
export function csvRow(r: Partial<LogRecord>): (string | number | null | undefined)[] {
  return [r.create_date, r.request_id, r.method, r.path, r.query, r.route, r.model, r.status, r.latency_ms, r.bytes_in, r.bytes_out, r.ip,
    r.login, r.credential, r.caller, r.error_type, r.error_message];
}
