const kinds: Record<string, string> = { user: 'user', key: 'key', client: 'client' };

/** How a caller is called: ci (key), admin (user), key 3 where he has no name any more. */
export function callerName(id: string, name = ''): string {
  if (id === 'anonymous' || id === '') return 'Anonymous';
  const [kind = '', number = ''] = id.split(':');
  return name ? `${name} (${kinds[kind] ?? kind})` : `${kinds[kind] ?? kind} ${number}`;
}
