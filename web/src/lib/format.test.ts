import { describe, expect, it } from 'vitest';
import { ago, bytes, compact, duration, moment, number, percent, short } from './format';

describe('format', () => {
  it('writes numbers', () => {
    expect(number(1234567)).toBe('1,234,567');
    expect(number(1.005, 1)).toBe('1.0');
    expect(number(null)).toBe('–');
    expect(number(Number.NaN)).toBe('–');
    expect(compact(1234)).toBe('1.2K');
    expect(percent(0.01234)).toBe('1.2 %');
  });
  it('writes sizes, and never 1000 of a unit', () => {
    expect(bytes(0)).toBe('0 B');
    expect(bytes(999)).toBe('999 B');
    expect(bytes(999_949)).toBe('999.9 kB');
    expect(bytes(999_951)).toBe('1.0 MB');
  });
  it('writes durations', () => {
    expect(duration(0)).toBe('0 ms');
    expect(duration(0.44)).toBe('0.4 ms');
    expect(duration(0.03)).toBe('<0.1 ms');
    expect(duration(128.4)).toBe('128 ms');
    expect(duration(999.6)).toBe('1.00 s');
    expect(duration(59_996)).toBe('1 min');
    expect(duration(185_000)).toBe('3 min 5 s');
    expect(duration(7_800_000)).toBe('2 h 10 min');
    expect(duration(90_000_000)).toBe('1 d 1 h');
  });
  it('reads both kinds of times as the same moment', () => {
    const want = Date.UTC(2026, 0, 31, 10, 30);
    expect(moment('2026-01-31 10:30:00')?.getTime()).toBe(want);
    expect(moment('2026-01-31T10:30:00Z')?.getTime()).toBe(want);
    expect(moment('2026-01-31T11:30:00+01:00')?.getTime()).toBe(want);
    expect(moment('soon')).toBeNull();
    expect(moment(false)).toBeNull();
  });
  it('tells how long ago', () => {
    const now = new Date(Date.UTC(2026, 0, 31, 12));
    expect(ago('2026-01-31 11:59:58', now)).toBe('now');
    expect(ago('2026-01-31 11:59:00', now)).toBe('1 min ago');
    expect(ago('2026-01-31 14:10:00', now)).toBe('in 2 h');
    expect(ago(null, now)).toBe('–');
  });
  it('cuts', () => {
    expect(short('abcdef', 4)).toBe('abc…');
    expect(short('abcd', 4)).toBe('abcd');
  });
});
