import { expect, it } from 'vitest';
import { groupOf } from './load';

it('makes groups that can be looked into', () => {
  const figures = { __count: 3, 'latency_ms:avg': 1.5 };
  expect(groupOf('status', { status: 404, ...figures })).toEqual({ name: '404', count: 3, mean: 1.5, filter: { status: '404' } });
  expect(groupOf('user', { login: 'ada', ...figures })).toMatchObject({ name: 'ada', filter: { user: 'ada' } });
  expect(groupOf('user', { login: null, __count: 1, 'latency_ms:avg': null })).toEqual({ name: 'Nobody', count: 1, mean: null, filter: { caller: 'anonymous' } });
  expect(groupOf('endpoint', { method: 'GET', route: '/api/v1/{model}', model: 'res.partner', ...figures })).toMatchObject({
    name: 'GET /api/v1/{model} res.partner', filter: { method: 'GET', route: '/api/v1/{model}', model: 'res.partner' },
  });
  const day = { 'create_date:day': '2026-01-31', __range: { 'create_date:day': { from: '2026-01-30T23:00:00Z', to: '2026-01-31T23:00:00Z' } }, ...figures };
  expect(groupOf('date', day)).toMatchObject({ name: '2026-01-31', filter: { from: '2026-01-30T23:00:00Z', to: '2026-01-31T22:59:59.000Z' } });
});
