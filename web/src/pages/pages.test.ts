import { describe, expect, it } from 'vitest';
import { changes, summary } from './audit/diff';
import { apiQuery, apiUrl, browseQuery, nextOrder, readBrowse, usualFields } from './data/browse';
import { grouped, patch, problemOf, told, type Setting } from './settings/setting';
import { range } from './webhooks/job';

const setting = (s: Partial<Setting>): Setting => ({ name: 'x', label: 'X', doc: '', type: 'integer', default: 80, value: 80, ...s });

describe('settings', () => {
  const limit = setting({ name: 'default_get_limit', min: 1, max: 1_000_000, value: 25 });
  const origins = setting({ name: 'cors_origins', type: 'list', default: [], value: ['https://a.example'] });
  it('sends what is changed, null for the default', () => {
    expect(patch([limit, origins], { default_get_limit: '25', cors_origins: 'https://a.example' })).toEqual({});
    expect(patch([limit, origins], { default_get_limit: '80', cors_origins: '' })).toEqual({ default_get_limit: null, cors_origins: null });
    expect(patch([limit, origins], { default_get_limit: '7', cors_origins: '*' })).toEqual({ default_get_limit: 7, cors_origins: ['*'] });
  });
  it('checks, tells and groups', () => {
    expect(problemOf(limit, '0')).toBe('Must be from 1 to 1,000,000');
    expect(problemOf(limit, 'x')).toBe('Must be a whole number');
    expect(problemOf(limit, '5')).toBe('');
    expect(told(setting({ name: 'log_retention_days' }), 3650)).toBe('3,650 days');
    expect(grouped([limit, setting({ name: 'from_the_future' })]).map((g) => g.title)).toEqual(['Lists', 'More']);
  });
});

describe('the audit trail', () => {
  it('compares field by field', () => {
    expect(changes({ a: 1, b: 'x' }, { b: 'y', c: true })).toEqual([
      { field: 'a', before: '1', after: '', kind: 'removed' },
      { field: 'b', before: 'x', after: 'y', kind: 'changed' },
      { field: 'c', before: '', after: 'true', kind: 'added' },
    ]);
    expect(changes(null, null)).toEqual([]);
    expect(summary(null, { a: 1, b: 1, c: 1 }, 2)).toBe('a, b and 1 more');
  });
});

describe('the data browser', () => {
  it('keeps what it shows in the address', () => {
    const b = readBrowse(new URLSearchParams('domain=[]&fields=a,b&order=a desc&page=3&size=50&archived=1'));
    expect(browseQuery(b)).toEqual({ domain: '[]', fields: 'a,b', order: 'a desc', page: '3', size: '50', archived: '1' });
    expect(apiQuery(b, ['id', 'a'])).toEqual({ domain: '[]', fields: 'id,a', order: 'a desc', limit: 50, offset: 100, active_test: false });
    expect(readBrowse(new URLSearchParams('page=x&size=3'))).toMatchObject({ page: 1, size: 20, fields: [] });
  });
  it('tells the address for a terminal', () => {
    expect(apiUrl('http://x', '/api/v1/m', { domain: "[('a','=',1)]", fields: 'id,a', offset: undefined, order: '' }))
      .toBe("http://x/api/v1/m?domain=%5B('a','%3D',1)%5D&fields=id,a");
  });
  it('chooses columns and orders', () => {
    const field = (name: string, type = 'char', stored = true) => ({ name, label: name, type, relation: '', help: '', required: false, stored, sortable: true });
    expect(usualFields([field('zip'), field('image', 'binary'), field('name'), field('id'), field('total', 'float', false)])).toEqual(['name', 'zip']);
    expect(nextOrder('', 'a')).toBe('a asc');
    expect(nextOrder('a asc', 'a')).toBe('a desc');
    expect(nextOrder('a desc', 'a')).toBe('');
  });
});

it('reads a range of time for the queue', () => {
  expect(range('', '')).toEqual({ args: {}, problem: '' });
  expect(range('2026-01-02T00:00', '2026-01-01T00:00').problem).toBe('The end must be after the beginning');
  expect(range('2026-01-01T00:00', '').args.from).toMatch(/^202\d-\d\d-\d\dT\d\d:00:00Z$/);
});
