// How figures, times and sizes are shown.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const none = '–';

/** A whole number with thousands separators: 12,345. */
export function number(value: number | null | undefined, digits = 0): string {
  if (value == null || !Number.isFinite(value)) return none;
  if (digits === 0) return whole.format(value);
  return new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

/** A number of few characters: 950, 1.2K, 3.4M. */
export function compact(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return none;
  return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(value);
}

/** A share of 1 as percent: 0.0123 is 1.2 %. */
export function percent(share: number | null | undefined, digits = 1): string {
  return share == null || !Number.isFinite(share) ? none : `${number(share * 100, digits)} %`;
}

/** Bytes in powers of 1000: 12.3 kB. */
export function bytes(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return none;
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  let size = value;
  while (Math.abs(size) >= 999.95 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 ? number(size) : number(size, 1)} ${units[unit]}`;
}

/** Milliseconds in the unit that suits them: 0.4 ms, 128 ms, 1.25 s, 3 min 5 s, 2 h 10 min. */
export function duration(ms: number | null | undefined): string {
  if (ms == null || !Number.isFinite(ms)) return none;
  if (ms > 0 && ms < 0.05) return '<0.1 ms';
  if (ms < 10) return `${number(ms, ms === 0 ? 0 : 1)} ms`;
  if (ms < 999.5) return `${number(ms)} ms`;
  if (ms < 59_995) return `${number(ms / 1000, 2)} s`;
  const seconds = Math.round(ms / 1000);
  return pair(seconds, [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ]);
}

function pair(seconds: number, units: [number, string][]): string {
  const first = units.findIndex(([size]) => seconds >= size);
  const parts: string[] = [];
  let rest = seconds;
  for (const [size, name] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.join(' ');
}

/**
 * The moment of a time as the API writes it: RFC 3339, or Odoo's
 * "2026-01-31 10:30:00", which is UTC. null when it is none.
 */
export function moment(text: string | null | undefined | false): Date | null {
  if (!text) return null;
  const zoned = /[zZ]|[+-]\d\d:?\d\d$/.test(text);
  const date = new Date(zoned ? text : `${text.replace(' ', 'T')}Z`);
  return Number.isNaN(date.getTime()) ? null : date;
}

const clock = new Intl.DateTimeFormat('sv-SE', {
  year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
});

/** A time of the API in the browser's zone: 2026-01-31 11:30:00. */
export function time(text: string | null | undefined | false): string {
  const date = moment(text);
  return date ? clock.format(date) : none;
}

/** How far a time is from now: 5 min ago, in 2 h, now. */
export function ago(text: string | null | undefined | false, now: Date = new Date()): string {
  const date = moment(text);
  if (!date) return none;
  const seconds = Math.round((now.getTime() - date.getTime()) / 1000);
  const far = Math.abs(seconds);
  if (far < 5) return 'now';
  const sizes: [number, string][] = [[86_400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
  const [size, unit] = sizes.find(([s]) => far >= s) ?? [1, 's'];
  const distance = `${whole.format(Math.floor(far / size))} ${unit}`;
  return seconds > 0 ? `${distance} ago` : `in ${distance}`;
}

/** A text cut to a length, with an ellipsis. */
export function short(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
