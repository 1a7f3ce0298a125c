// The pages and the menu. A page is a component in a file or folder of its
// own in this directory; it is loaded when somebody goes there. It gets
// PageProps. A path takes what is below it too: /logs/17 is of /logs.
import type { Component } from 'svelte';
import type { IconName } from '../lib/ui/icons';

export interface PageProps {
  /** The parts of the path after the page's own: ['17'] of /logs/17. */
  rest: string[];
  query: URLSearchParams;
}

export interface Page {
  path: string;
  title: string;
  icon: IconName;
  /** The component; one that needs no props may declare none. */
  load: () => Promise<{ default: Component<PageProps> | Component<Record<string, never>> }>;
  /** The heading that pages stand under in the menu. */
  group?: string;
}

export const pages: Page[] = [
  { path: '/', title: 'Dashboard', icon: 'dashboard', load: () => import('./Dashboard.svelte') },
  { path: '/logs', title: 'Traffic Logs', icon: 'logs', load: () => import('./TrafficLogs.svelte') },
  { path: '/profiles', title: 'API Profiles', icon: 'profile', load: () => import('./ApiProfiles.svelte') },
  { path: '/keys', title: 'API Keys', icon: 'key', load: () => import('./ApiKeys.svelte') },
  { path: '/clients', title: 'OAuth2 Clients', icon: 'client', load: () => import('./OAuth2Clients.svelte') },
  { path: '/tokens', title: 'OAuth2 Tokens', icon: 'token', load: () => import('./OAuth2Tokens.svelte') },
  { path: '/throttles', title: 'Active Throttles', icon: 'throttle', load: () => import('./ActiveThrottles.svelte') },
  { path: '/blocks', title: 'Blocked IPs', icon: 'block', load: () => import('./BlockedIps.svelte') },
  { path: '/webhooks', title: 'Configuration', icon: 'webhook', load: () => import('./Webhooks.svelte'), group: 'Webhooks' },
  { path: '/webhooks/queue', title: 'Queue', icon: 'queue', load: () => import('./WebhookQueue.svelte'), group: 'Webhooks' },
  { path: '/jobs', title: 'Jobs', icon: 'job', load: () => import('./Jobs.svelte') },
  { path: '/audit', title: 'Audit', icon: 'audit', load: () => import('./Audit.svelte') },
  { path: '/data', title: 'Data browser', icon: 'data', load: () => import('./DataBrowser.svelte') },
  { path: '/settings', title: 'Settings', icon: 'settings', load: () => import('./Settings.svelte') },
];

/** The page of a path, and what of the path is below it. */
export function find(path: string): { page: Page; rest: string[] } | null {
  const parts = path.split('/').filter(Boolean);
  for (let n = parts.length; n >= 0; n--) {
    const page = pages.find((p) => p.path === `/${parts.slice(0, n).join('/')}`);
    if (page && (n > 0 || parts.length === 0)) return { page, rest: parts.slice(n).map(decode) };
  }
  return null;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The title of a page where its group is not seen beside it. */
export const fullTitle = (page: Page): string => (page.group ? `${page.group}: ${page.title}` : page.title);
