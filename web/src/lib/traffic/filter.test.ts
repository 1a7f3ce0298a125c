import { describe, expect, it } from 'vitest';
import { domainOf, filterOf, isEmpty, orderOf, orderText, statusDomain, utc } from './filter';

const of = (text: string) => filterOf(new URLSearchParams(text));

describe('the filters of the traffic log', () => {
  it('ask nothing when there are none', () => {
    expect(isEmpty(of(''))).toBe(true);
    expect(domainOf(of(''))).toEqual([]);
    expect(isEmpty(of('method=GET'))).toBe(false);
  });
  it('make a domain of an address', () => {
    expect(domainOf(of('user=ada&caller=key:3&status=5xx&method=GET&model=res.partner&route=/api/v1/{model}'))).toEqual([
      ['login', '=', 'ada'], ['caller', '=', 'key:3'], ['status', '>=', 500], ['status', '<', 600], ['method', '=', 'GET'], ['model', '=', 'res.partner'],
      ['route', '=', '/api/v1/{model}'],
    ]);
    expect(domainOf(of('search=orders'))).toEqual(['|', '|', ['path', 'ilike', 'orders'], ['request_id', '=', 'orders'], ['error_message', 'ilike', 'orders']]);
    expect(domainOf(of('profile=7'), 12)).toEqual([['user_id', '=', 12]]);
    expect(domainOf(of('profile=7'))).toEqual([['user_id', '=', 0]]);
  });
  it('know the classes of statuses', () => {
    expect(statusDomain('4xx')).toEqual([['status', '>=', 400], ['status', '<', 500], ['status', '!=', 429]]);
    expect(statusDomain('429')).toEqual([['status', '=', 429]]);
    expect(statusDomain('errors')).toEqual([['status', '>=', 400]]);
    for (const bad of ['', '6xx', '999', "'"]) expect(statusDomain(bad)).toEqual([]);
  });
  it('take days of the browser’s zone', () => {
    const local = new Date('2026-01-31T00:00:00');
    expect(utc('2026-01-31')).toBe(local.toISOString().slice(0, 19).replace('T', ' '));
    expect(utc('2026-01-31T10:30:00Z')).toBe('2026-01-31 10:30:00');
    expect(Date.parse(`${utc('2026-01-31', true)!.replace(' ', 'T')}Z`) - local.getTime()).toBe(86_399_000);
    expect(utc('soon')).toBeNull();
    expect(utc('')).toBeNull();
  });
  it('order by columns that there are', () => {
    expect(orderText(orderOf(null))).toBe('id desc');
    expect(orderText(orderOf('latency_ms desc'))).toBe('latency_ms desc, id desc');
    expect(orderText(orderOf('stack; drop'))).toBe('id desc');
  });
});
