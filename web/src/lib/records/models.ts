// What models and fields there are, for pickers and the data browser. Asked
// once; a reload of the page asks anew.
import { list } from '../api';
import type { Row } from './types';

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
  const { data } = await list<Row & { model: string; name: string }>('ir.model', {
    domain: [['abstract', '=', false]], fields: ['model', 'name'], order: 'model', limit: 1000, count: 'none',
  });
  return data.map((m) => ({ name: m.model, label: m.name }));
}

export async function fieldsOfModel(model: string, signal?: AbortSignal): Promise<ModelField[]> {
  const { data } = await list<Row & Record<'name' | 'field_description' | 'ttype' | 'relation' | 'help', string | null>>('ir.model.fields', {
    domain: [['model', '=', model]], fields: ['name', 'field_description', 'ttype', 'relation', 'help', 'required', 'store'],
    order: 'name', limit: 1000, count: 'none',
  }, signal);
  return data.map((f) => ({
    name: f.name ?? '', label: f.field_description ?? f.name ?? '', type: f.ttype ?? '', relation: f.relation ?? '',
    help: f.help ?? '', required: f.required === true, stored: f.store !== false,
  }));
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
