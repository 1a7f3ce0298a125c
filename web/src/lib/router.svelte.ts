// Places are in the address after the #: #/logs/17?status=5xx.

export interface Place {
  path: string;
  query: URLSearchParams;
}

function read(): Place {
  const [path = '', query = ''] = splitOnce(location.hash.slice(1), '?');
  return { path: path.startsWith('/') ? path : '/', query: new URLSearchParams(query) };
}

function splitOnce(text: string, at: string): string[] {
  const i = text.indexOf(at);
  return i < 0 ? [text] : [text.slice(0, i), text.slice(i + 1)];
}

let current = $state.raw<Place>(read());
addEventListener('hashchange', () => (current = read()));

export const router = {
  get place(): Place {
    return current;
  },
};

/** The address of a place, for links: href('/logs', { status: '5xx' }). */
export function href(path: string, query: Record<string, string | number | undefined> = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') params.set(name, String(value));
  const text = params.toString();
  return `#${path}${text ? `?${text}` : ''}`;
}

/** Goes to a place; replace keeps the present one out of the history. */
export function go(path: string, query: Record<string, string | number | undefined> = {}, replace = false): void {
  const target = href(path, query);
  if (replace) {
    history.replaceState(null, '', target);
    current = read();
  } else location.hash = target;
}
