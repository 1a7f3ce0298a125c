// What the data browser asks for, as its address says it.
import type { Query } from '../../lib/api';
import type { ModelField } from '../../lib/records/models';

export interface Browse {
  domain: string;
  fields: string[];
  order: string;
  page: number;
  size: number;
  archived: boolean;
}

export const browseSizes = [20, 50, 100];

export function readBrowse(query: URLSearchParams): Browse {
  const page = Number(query.get('page'));
  const size = Number(query.get('size'));
  return {
    domain: query.get('domain') ?? '',
    fields: (query.get('fields') ?? '').split(',').filter(Boolean),
    order: query.get('order') ?? '',
    page: Number.isInteger(page) && page > 0 ? page : 1,
    size: browseSizes.includes(size) ? size : 20,
    archived: query.get('archived') === '1',
  };
}

export const browseQuery = (b: Browse): Record<string, string | undefined> => ({
  domain: b.domain.trim() || undefined,
  fields: b.fields.join(',') || undefined,
  order: b.order || undefined,
  page: b.page > 1 ? String(b.page) : undefined,
  size: b.size === 20 ? undefined : String(b.size),
  archived: b.archived ? '1' : undefined,
});

/** The query of the API's list route. */
export const apiQuery = (b: Browse, fields: string[]): Query => ({
  domain: b.domain.trim(),
  fields: fields.join(','),
  order: b.order,
  limit: b.size,
  offset: b.page > 1 ? (b.page - 1) * b.size : undefined,
  active_test: b.archived ? false : undefined,
});

const dull = new Set(['id', 'create_uid', 'create_date', 'write_uid', 'write_date', 'display_name']);
const first = ['name', 'complete_name', 'login', 'email', 'code', 'default_code', 'state', 'partner_id', 'user_id', 'company_id', 'active'];

/** The columns that are shown where nobody chose any. */
export function usualFields(fields: ModelField[], most = 6): string[] {
  const fit = fields.filter((f) => f.stored && !dull.has(f.name) && !['binary', 'html', 'text', 'json', 'one2many', 'many2many', 'properties', 'properties_definition'].includes(f.type));
  const rank = (f: ModelField): number => {
    const at = first.indexOf(f.name);
    return at >= 0 ? at : f.required ? first.length : first.length + 1;
  };
  return [...fit].sort((a, b) => rank(a) - rank(b)).slice(0, most).map((f) => f.name);
}

/** Up, down, and then as the model has it. */
export function nextOrder(current: string, field: string): string {
  if (current === `${field} asc`) return `${field} desc`;
  return current === `${field} desc` ? '' : `${field} asc`;
}

/** The address of what is shown, for a terminal. */
export function apiUrl(origin: string, path: string, query: Query): string {
  const parts = Object.entries(query)
    .filter(([, v]) => v !== undefined && v !== null && v !== '')
    .map(([k, v]) => `${k}=${encodeURIComponent(String(v)).replaceAll('%2C', ',')}`);
  return `${origin}${path}${parts.length > 0 ? `?${parts.join('&')}` : ''}`;
}
