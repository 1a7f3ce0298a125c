import { ApiError, onSessionLost, request } from './api';

export interface Me {
  id: number;
  name: string;
  login: string;
  administrator: boolean;
}

/** Who is signed in: undefined while that is not known, null for nobody. */
export const session = $state<{ me: Me | null | undefined; ended: boolean; problem: string; inFront: boolean }>({
  me: undefined,
  ended: false,
  problem: '',
  inFront: false, // of an Odoo; known before me is
});

async function look(): Promise<void> {
  try {
    session.inFront = (await request<{ odoo: boolean }>('GET', '/', { quiet: true })).data.odoo;
  } catch {
    // then forms leave out what only matters in front of one
  }
}

onSessionLost(() => {
  session.ended = session.me != null;
  session.me = null;
});

// The cookie is none of a script's business. This says that there may be one:
// to ask without would be a refused request in the traffic log, and count
// towards the block of the address.
const mark = 'gatehouse.signedIn';

function maybeSignedIn(): boolean {
  try {
    return localStorage.getItem(mark) !== null;
  } catch {
    return true; // a browser that keeps nothing
  }
}

function remember(signedIn: boolean): void {
  try {
    if (signedIn) localStorage.setItem(mark, 'yes');
    else localStorage.removeItem(mark);
  } catch {
    // then it is asked for every time
  }
}

export async function resume(): Promise<void> {
  session.problem = '';
  if (!maybeSignedIn()) {
    session.me = null;
    return;
  }
  try {
    await look();
    session.me = (await request<Me>('GET', '/api/v1/auth/me', { quiet: true })).data;
  } catch (error) {
    if (error instanceof ApiError && error.code === 401) {
      remember(false);
      session.me = null;
    } else session.problem = error instanceof Error ? error.message : String(error);
  }
}

export async function signIn(login: string, password: string): Promise<void> {
  const { data } = await request<{ user: Me }>('POST', '/api/v1/auth/session', { body: { login, password }, quiet: true });
  remember(true);
  await look();
  session.me = data.user;
  session.ended = false;
}

export async function signOut(): Promise<void> {
  try {
    await request('DELETE', '/api/v1/auth/session', { quiet: true });
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 401) throw error;
  }
  remember(false);
  session.me = null;
  session.ended = false;
}
