// What the tests of the pages share: a browser that complains. Everything that
// the console reports as an error, every exception and every violation of the
// content security policy is a fault.
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

export const url = need('GATEHOUSE_URL');
export const login = need('GATEHOUSE_LOGIN');
export const password = need('GATEHOUSE_PASSWORD');

function need(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** Where screenshots go: GATEHOUSE_SHOTS, or a new folder. */
export const shots = process.env.GATEHOUSE_SHOTS || mkdtempSync(join(tmpdir(), 'gatehouse-shots-'));
mkdirSync(shots, { recursive: true });

export const faults = [];

export function check(condition, text) {
  if (!condition) faults.push(text);
}

export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] });

/**
 * A page of a fresh browser profile. options are Playwright's (colorScheme,
 * viewport, storageState); expected(text, url) says which complaints are meant to be.
 */
export async function open(browser, options, name, expected = () => false) {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  const complain = (text, from = '') => {
    if (!expected(text, from)) faults.push(`${name} at ${page.url()}: ${text} ${from}`);
  };
  page.on('console', (m) => {
    if (m.type() === 'error' || m.type() === 'warning' || /Content Security Policy/i.test(m.text())) complain(m.text(), m.location().url);
  });
  page.on('pageerror', (error) => complain(`exception: ${error.message}`));
  page.on('requestfailed', (r) => {
    const why = r.failure()?.errorText ?? '';
    if (why !== 'net::ERR_ABORTED') complain(`request failed: ${why}`, r.url());
  });
  return page;
}

/** Before the login the pages ask who is signed in, and a browser reports the 401. */
export const signedOut = (text, from) => /401/.test(text) && from.endsWith('/api/v1/auth/me');

/** Fills in the login that stands there; title is of the page to come. */
export async function signIn(page, title) {
  await page.getByLabel('Login or email').fill(login);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1, name: title }).waitFor();
}

/** Goes to a place of the pages and waits until it stands there. */
export async function visit(page, path, title) {
  await page.evaluate((hash) => { location.hash = hash; }, path);
  await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
  await page.waitForLoadState('networkidle');
}

export function finish() {
  console.log(`screenshots: ${shots}`);
  for (const text of faults) console.error(text);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
