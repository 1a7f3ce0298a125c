// CSV as RFC 4180 has it, safe to open in a spreadsheet.

type Cell = string | number | boolean | null | undefined;

// A spreadsheet takes a text that begins like this for a formula, also after
// blanks and in full width; an apostrophe before it makes it a text.
const formula = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/;

/** One cell. Numbers stay numbers, also negative ones. */
export function cell(value: Cell): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const text = formula.test(value) ? `'${value}` : value;
  return /[",;\r\n\t]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A table with its head; lines end as the RFC asks. */
export function csv(head: string[], rows: Cell[][]): string {
  return [head, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** Lets the browser save a table. The mark at its beginning tells spreadsheets that it is UTF-8. */
export function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob(['\ufeff', text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
