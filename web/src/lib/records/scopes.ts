// Scopes as boxes to tick, and what is written beside them.

export const broad = [
  { word: 'read', label: 'Read', help: 'every model' },
  { word: 'write', label: 'Write', help: 'create and change' },
  { word: 'delete', label: 'Delete', help: 'every model' },
  { word: 'admin', label: 'Admin', help: 'all, and these pages' },
];

export const resources = ['products', 'orders', 'customers'].flatMap((r) => [`${r}_read`, `${r}_write`]);

const boxes = new Set([...broad.map((s) => s.word), ...resources]);

export const words = (text: string): string[] => [...new Set(text.split(/[\s,]+/).filter(Boolean))];

/** The words that have no box. */
export const others = (text: string): string => words(text).filter((w) => !boxes.has(w)).join(', ');

/** The scopes after a box was ticked or not. */
export function toggled(text: string, word: string, on: boolean): string {
  const rest = words(text).filter((w) => w !== word);
  return (on ? [...rest, word] : rest).join(',');
}

/** The scopes after the words beside the boxes were written. */
export const withOthers = (text: string, written: string): string =>
  [...words(text).filter((w) => boxes.has(w)), ...words(written).filter((w) => !boxes.has(w))].join(',');
