// Reading the traffic log: a page of it, all of it for a file, and groups.
import { list, request, type Domain } from '../../lib/api';
import { lineFields, model, type LogRecord } from '../../lib/traffic/record';

export const sizes = [25, 50, 100] as const;

/** More lines than this are too many for a table that people open. */
export const exportLimit = 10_000;
const portion = 500;

/** Reads the records for a file, portion by portion; told says how many there are so far. */
export async function readAll(domain: Domain, order: string, told: (n: number) => void, signal: AbortSignal): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  while (all.length < exportLimit) {
    const limit = Math.min(portion, exportLimit - all.length);
    const { data } = await list<LogRecord>(model, { domain, order, fields: lineFields, limit, offset: all.length, count: 'none' }, signal);
    all.push(...data);
    told(all.length);
    if (data.length < limit) break;
  }
  return all;
}

export const groupings = ['date', 'user', 'status', 'endpoint'] as const;
export type Grouping = (typeof groupings)[number];

export interface Group {
  name: string;
  count: number;
  mean: number | null;
  /** What the filters become when people look into the group. */
  filter: Record<string, string>;
}

export const groupTitles: Record<Grouping, string> = { date: 'Date', user: 'User', status: 'Status', endpoint: 'Endpoint' };

const groupFields: Record<Grouping, string> = { date: 'create_date:day', user: 'login', status: 'status', endpoint: 'method,route,model' };

type Row = Record<string, unknown>;

const mostGroups = 200;

/** The groups with most requests, or the latest days; total is how many groups there are. */
export async function readGroups(by: Grouping, domain: Domain, signal: AbortSignal): Promise<{ groups: Group[]; total: number }> {
  const query = {
    groupby: groupFields[by], aggregates: '__count,latency_ms:avg', domain: domain.length ? JSON.stringify(domain) : undefined, limit: mostGroups,
    order: by === 'date' ? 'create_date:day desc' : '__count desc', tz: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
  const { data, meta } = await request<Row[]>('GET', `/api/v1/${model}/aggregate`, { query, signal });
  return { groups: data.map((row) => groupOf(by, row)), total: meta.total ?? data.length };
}

export function groupOf(by: Grouping, row: Row): Group {
  const text = (key: string): string => {
    const value = row[key];
    return value === null || value === undefined || value === false ? '' : String(value);
  };
  const mean = row['latency_ms:avg'];
  const group = { count: Number(row.__count ?? 0), mean: typeof mean === 'number' ? mean : null };
  if (by === 'status') return { ...group, name: text('status'), filter: { status: text('status') } };
  if (by === 'user') return { ...group, name: text('login') || 'Nobody', filter: text('login') ? { user: text('login') } : { caller: 'anonymous' } };
  if (by === 'endpoint') {
    const [method, route, of] = [text('method'), text('route'), text('model')];
    return { ...group, name: `${method} ${route || 'no route'}${of ? ` ${of}` : ''}`, filter: { method, route, model: of } };
  }
  const bounds = (row.__range as Record<string, { from?: string; to?: string } | undefined> | undefined)?.['create_date:day'];
  const end = Date.parse(bounds?.to ?? ''); // the moment after the day
  const filter: Record<string, string> = bounds?.from && end ? { from: bounds.from, to: new Date(end - 1000).toISOString() } : {};
  return { ...group, name: text('create_date:day') || 'No date', filter };
}
