import { describe, expect, it } from 'vitest';
import { Alerts } from './alerts';
import { between, easeOutCubic } from './easing';
import { questionOf, queryOf } from './telemetry';

describe('alerts', () => {
  it('tell when the error rate passes 10 %, once', () => {
    const a = new Alerts();
    expect(a.rate(10, 0)).toBeNull();
    expect(a.rate(10.1, 1)?.text).toBe('10.1 % of the requests fail');
    expect(a.rate(30, 2)).toBeNull();
    expect(a.rate(9, 3)).toBeNull(); // still about the limit
    expect(a.rate(12, 100_000)).toBeNull();
    expect(a.rate(2, 100_001)).toBeNull();
    expect(a.rate(12, 100_002)).not.toBeNull();
    expect(a.rate(null, 100_003)).toBeNull();
  });
  it('do not come and go by the second', () => {
    const a = new Alerts();
    a.rate(50, 0);
    a.rate(0, 1000);
    expect(a.rate(50, 2000)).toBeNull();
    expect(a.rate(50, 61_000)).not.toBeNull();
  });
  it('tell of a server error, and sum up a storm', () => {
    const a = new Alerts();
    expect(a.serverErrors(1, 'GET /x 500', 0)).toEqual({ kind: 'fault', text: 'Server error: GET /x 500', sound: true });
    for (let i = 1; i < 100; i++) expect(a.serverErrors(1, 'GET /x 500', i * 100)).toBeNull();
    expect(a.serverErrors(1, 'GET /y 503', 15_000)?.text).toBe('100 server errors, last: GET /y 503');
    expect(a.serverErrors(0, '', 99_000)).toBeNull();
    expect(a.serverErrors(3, '', 99_000)?.text).toBe('3 server errors');
  });
});

describe('counters', () => {
  it('ease', () => {
    expect([0, 0.5, 1].map(easeOutCubic)).toEqual([0, 0.875, 1]);
    expect(easeOutCubic(-1)).toBe(0);
    expect(easeOutCubic(2)).toBe(1);
  });
  it('end exactly where they should', () => {
    expect(between(0, 0.3, 700, 700)).toBe(0.3);
    expect(between(10, 110, 350, 700)).toBe(97.5);
    expect(between(5, 9, 0, 0)).toBe(9);
  });
});

describe('the address', () => {
  it('is a question, and a question an address', () => {
    const q = { range: '30d', caller: 'key:3', status: '5xx' } as const;
    expect(questionOf(new URLSearchParams(queryOf(q) as Record<string, string>))).toEqual(q);
    expect(queryOf(questionOf(new URLSearchParams()))).toEqual({ range: undefined, caller: undefined, status: undefined });
  });
  it('asks nothing that the API does not know', () => {
    expect(questionOf(new URLSearchParams('range=2d&caller=key:x&status=6xx'))).toEqual({ range: '24h', caller: '', status: '' });
  });
});
