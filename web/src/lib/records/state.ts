// What a list shows is said by the address, so that it can be linked to and
// survives going back. Here both are turned into each other.
import type { Domain } from '../api';
import type { Filter, ListSpec } from './types';

export interface State {
  search: string;
  filters: Record<string, string>;
  narrow: Record<string, string>;
  order: string;
  page: number;
  size: number;
}

export const sizes = [25, 50, 100];

const initial = (f: Filter): string => f.initial ?? f.options[0]?.value ?? '';

export function readState(spec: ListSpec, query: URLSearchParams): State {
  const filters: Record<string, string> = {};
  for (const f of spec.filters ?? []) {
    const asked = query.get(f.name);
    filters[f.name] = f.options.some((o) => o.value === asked) ? (asked as string) : initial(f);
  }
  const narrow: Record<string, string> = {};
  for (const n of spec.narrowings ?? []) {
    const asked = query.get(n.name);
    if (asked && (n.text || /^\d+$/.test(asked))) narrow[n.name] = asked;
  }
  const size = Number(query.get('size'));
  const page = Number(query.get('page'));
  return {
    search: query.get('q') ?? '',
    filters,
    narrow,
    order: sortable(spec, query.get('sort')) ?? spec.order,
    page: Number.isInteger(page) && page > 0 ? page : 1,
    size: sizes.includes(size) ? size : (sizes[0] as number),
  };
}

function sortable(spec: ListSpec, sort: string | null): string | null {
  if (!sort) return null;
  const name = sort.replace(/^-/, '');
  const known = spec.columns.some((c) => c.sort !== false && (c.sort ?? c.name) === name);
  return known ? `${name} ${sort.startsWith('-') ? 'desc' : 'asc'}` : null;
}

/** The query of an address; what is as always is left out. */
export function queryOf(spec: ListSpec, state: State): Record<string, string | undefined> {
  const query: Record<string, string | undefined> = { q: state.search || undefined };
  for (const f of spec.filters ?? []) {
    const value = state.filters[f.name];
    query[f.name] = value === initial(f) ? undefined : value;
  }
  for (const n of spec.narrowings ?? []) query[n.name] = state.narrow[n.name];
  if (state.order !== spec.order) {
    const [name = '', way] = state.order.split(' ');
    query.sort = way === 'desc' ? `-${name}` : name;
  }
  if (state.page > 1) query.page = String(state.page);
  if (state.size !== sizes[0]) query.size = String(state.size);
  return query;
}

/** Records in which one of the fields has the text. */
export function searchDomain(fields: string[], text: string): Domain {
  const wanted = text.trim();
  if (!wanted || fields.length === 0) return [];
  return [...Array<string>(fields.length - 1).fill('|'), ...fields.map((f): [string, string, unknown] => [f, 'ilike', wanted])];
}

export function domainOf(spec: ListSpec, state: State, now: Date): Domain {
  const domain: Domain = [...(spec.always?.(now) ?? [])];
  for (const f of spec.filters ?? []) {
    const option = f.options.find((o) => o.value === state.filters[f.name]);
    domain.push(...(option?.domain?.(now) ?? []));
  }
  for (const n of spec.narrowings ?? []) {
    const value = state.narrow[n.name];
    if (value) domain.push([n.field, '=', n.text ? value : Number(value)]);
  }
  domain.push(...searchDomain(spec.search, state.search));
  return domain;
}

/** The order after a click on a column: up, down, and then as it was. */
export function nextOrder(spec: ListSpec, current: string, column: string): string {
  if (current === `${column} asc`) return `${column} desc`;
  if (current === `${column} desc` && spec.order !== current) return spec.order;
  return `${column} asc`;
}

/** Whether something is looked for, so that "none" may mean "none of these". */
export function isNarrowed(spec: ListSpec, state: State): boolean {
  return state.search.trim() !== '' || Object.keys(state.narrow).length > 0 ||
    (spec.filters ?? []).some((f) => state.filters[f.name] !== initial(f));
}
