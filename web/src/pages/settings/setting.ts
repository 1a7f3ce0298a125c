// The settings as the page groups and checks them. What they are called, mean
// and may be is told by the server.

export interface Setting {
  name: string;
  label: string;
  doc: string;
  type: 'integer' | 'boolean' | 'selection' | 'list';
  options?: string[];
  min?: number;
  max?: number;
  default: unknown;
  value: unknown;
}

const groups: [string, string[]][] = [
  ['Lists', ['default_get_limit', 'max_get_limit']],
  ['Rate limit', ['global_rate_limit', 'rate_window']],
  ['Automatic blocking', ['autoblock_violations', 'autoblock_window_minutes', 'autoblock_minutes']],
  ['Log and retention', ['log_level', 'log_retention_days', 'webhook_job_retention_days', 'audit_retention_days']],
  ['Access from browsers', ['docs_public', 'cors_origins']],
];

/** The settings under their headings; those without one come last. */
export function grouped(all: Setting[]): { title: string; settings: Setting[] }[] {
  const known = new Set(groups.flatMap(([, names]) => names));
  const of = (names: string[]) => names.flatMap((n) => all.filter((s) => s.name === n));
  return [
    ...groups.map(([title, names]) => ({ title, settings: of(names) })),
    { title: 'More', settings: all.filter((s) => !known.has(s.name)) },
  ].filter((g) => g.settings.length > 0);
}

const units: [RegExp, string][] = [[/_days$/, 'days'], [/_minutes$/, 'minutes'], [/_get_limit$/, 'records'], [/rate_limit$|violations$/, 'requests']];

export const unitOf = (s: Setting): string => (s.type === 'integer' ? (units.find(([name]) => name.test(s.name))?.[1] ?? '') : '');

/** The label without the unit that is shown beside the value. */
export const labelOf = (s: Setting): string => s.label.replace(/ \((days|minutes)\)$/, '');

/** What a control holds. */
export function toText(s: Setting, value: unknown): string {
  if (s.type === 'list') return Array.isArray(value) ? value.join('\n') : '';
  return String(value);
}

/** A value as people read it. */
export function told(s: Setting, value: unknown): string {
  if (typeof value === 'number') return `${value.toLocaleString('en')}${unitOf(s) ? ` ${unitOf(s)}` : ''}`;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.length > 0 ? value.join(', ') : 'none';
  return String(value);
}

export function problemOf(s: Setting, written: string): string {
  if (s.type !== 'integer') return '';
  const n = Number(written);
  if (written.trim() === '' || !Number.isInteger(n)) return 'Must be a whole number';
  if ((s.min !== undefined && n < s.min) || (s.max !== undefined && n > s.max)) {
    return `Must be from ${(s.min ?? 0).toLocaleString('en')} to ${(s.max ?? 0).toLocaleString('en')}`;
  }
  return '';
}

function toValue(s: Setting, written: string): unknown {
  if (s.type === 'integer') return Number(written);
  if (s.type === 'boolean') return written === 'true';
  return s.type === 'list' ? written.split(/[\s,]+/).filter(Boolean) : written;
}

/** What is sent: the settings that are another now; null goes back to the default. */
export function patch(all: Setting[], written: Record<string, string>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const s of all) {
    const now = written[s.name] ?? '';
    if (now.trim() === toText(s, s.value)) continue;
    out[s.name] = now.trim() === toText(s, s.default) ? null : toValue(s, now.trim());
  }
  return out;
}
