// What models and fields there are, for pickers and the data browser. Asked
// once; a reload of the page asks anew.
import { request } from '../api';

export interface Model {
  name: string;
  label: string;
}

export interface ModelField {
  name: string;
  label: string;
  type: string;
  relation: string;
  help: string;
  required: boolean;
  stored: boolean;
  sortable: boolean;
}

let known: Promise<Model[]> | undefined;

export function models(): Promise<Model[]> {
  known ??= load().catch((error: unknown) => {
    known = undefined;
    throw error;
  });
  return known;
}

async function load(): Promise<Model[]> {
  const { data } = await request<(Model & { access: { read: boolean } })[]>('GET', '/api/v1/models');
  return data.filter((m) => m.access.read).map(({ name, label }) => ({ name, label }));
}

interface Described {
  type: string;
  string?: string;
  help?: string;
  relation?: string;
  required?: boolean;
  store?: boolean;
  sortable?: boolean;
}

/** The fields of a model that may be seen, by their names. */
export async function fieldsOfModel(model: string, signal?: AbortSignal): Promise<ModelField[]> {
  const { data } = await request<{ fields?: Record<string, Described> }>('GET', `/api/v1/models/${encodeURIComponent(model)}`, { signal });
  return Object.entries(data.fields ?? {})
    .map(([name, f]) => ({
      name, label: f.string || name, type: f.type, relation: f.relation ?? '', help: f.help ?? '',
      required: f.required === true, stored: f.store !== false, sortable: f.sortable !== false,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Models like a text, those whose names begin so first. */
export function matching(all: Model[], text: string, most = 50): Model[] {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return all.slice(0, most);
  const rank = (m: Model): number => {
    const name = m.name.toLowerCase();
    if (name === wanted) return 0;
    if (name.startsWith(wanted)) return 1;
    if (name.includes(wanted)) return 2;
    return m.label.toLowerCase().includes(wanted) ? 3 : 4;
  };
  return all.map((m) => [rank(m), m] as const).filter(([r]) => r < 4).sort((a, b) => a[0] - b[0]).map(([, m]) => m).slice(0, most);
}
