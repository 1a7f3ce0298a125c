import { expect, it } from 'vitest';
import { find, pages } from './index';

it('finds pages by the longest path', () => {
  expect(find('/')?.page.title).toBe('Dashboard');
  expect(find('')?.page.title).toBe('Dashboard');
  expect(find('/webhooks/queue')?.page.title).toBe('Queue');
  expect(find('/webhooks/7')).toMatchObject({ page: { title: 'Configuration' }, rest: ['7'] });
  expect(find('/data/res.partner/7')?.rest).toEqual(['res.partner', '7']);
  expect(find('/data/%zz')?.rest).toEqual(['%zz']);
  expect(find('/nowhere')).toBeNull();
});

it('has the menu in its order', () => {
  expect(pages.map((p) => p.title)).toEqual([
    'Dashboard', 'Traffic Logs', 'API Profiles', 'API Keys', 'OAuth2 Clients', 'OAuth2 Tokens', 'Active Throttles',
    'Blocked IPs', 'Configuration', 'Queue', 'Jobs', 'Audit', 'Data browser', 'Settings',
  ]);
});
