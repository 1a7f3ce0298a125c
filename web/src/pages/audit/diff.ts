// What a change did, field by field.

export interface Change {
  field: string;
  before: string;
  after: string;
  kind: 'added' | 'removed' | 'changed';
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const empty = (value: unknown): boolean => value === undefined || value === null || value === '';

/** The fields of both sides; "" where a side has none. */
export function changes(before: unknown, after: unknown): Change[] {
  const left = asObject(before);
  const right = asObject(after);
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
  return names.map((field) => {
    const gone = empty(left[field]);
    const come = empty(right[field]);
    return {
      field,
      before: gone ? '' : shown(left[field]),
      after: come ? '' : shown(right[field]),
      kind: gone ? 'added' : come ? 'removed' : 'changed',
    };
  });
}

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

/** A line for the list: the fields that another value was given. */
export function summary(before: unknown, after: unknown, most = 4): string {
  const names = changes(before, after).map((c) => c.field);
  return names.length > most ? `${names.slice(0, most).join(', ')} and ${names.length - most} more` : names.join(', ');
}
