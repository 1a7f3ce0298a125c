// The dashboard and the traffic log, on the traffic of a year and on requests
// made here. GATEHOUSE_KEY is a gateway key with a limit of some requests a minute.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, finish, launch, login, open, password, shots, signIn, signedOut, url, visit } from './browser.mjs';

const json = { 'Content-Type': 'application/json' };
const { data: { access_token: token } } = await (await fetch(`${url}/api/v1/auth/login`, { method: 'POST', headers: json, body: JSON.stringify({ login, password }) })).json();
const admin = { ...json, Authorization: `Bearer ${token}` };
const api = async (path, options = {}) => (await fetch(url + path, { headers: admin, ...options })).json();
await api('/api/v1/settings', { method: 'PATCH', body: JSON.stringify({ log_level: 'full', global_rate_limit: 0 }) });

/** Some traffic: what goes well, what does not, and too much of it. */
async function traffic() {
  const seen = {};
  const hit = async (path, options) => {
    const { status } = await fetch(url + path, options);
    seen[status] = (seen[status] ?? 0) + 1;
  };
  for (let i = 0; i < 12; i++) await hit('/api/v1/products?limit=1', { headers: { 'X-API-Key': process.env.GATEHOUSE_KEY } });
  for (let i = 1; i < 6; i++) await hit(`/api/v1/res.partner?limit=${i}`, { headers: admin });
  await hit('/api/v1/res.partner/99999999', { headers: admin });
  await hit('/api/v1/no.such.model', { headers: admin });
  await hit('/api/v1/customers', { method: 'POST', headers: admin, body: '{"name": "=1+1", "email": "none", "password": "hunter2-secret"}' });
  return seen;
}
const seen = await traffic();
check(seen[404] >= 2 && seen[422] === 1 && seen[429] > 0, `statuses ${JSON.stringify(seen)}`);

const charts = ['Area chart of', 'Gauge of', 'Ring of the endpoints', 'Bars of the slowest', 'Histogram of latency', 'Ring of the classes', 'Bars of requests by method', 'Bars of the addresses', 'Rings of the webhook'];

/** Waits until all charts are drawn, and says which are blank. */
async function drawn(page, name) {
  for (const label of charts) {
    const box = page.getByRole('img', { name: label });
    await box.locator('canvas').first().waitFor({ timeout: 20_000 }).catch(() => {});
    const pixels = await box.locator('canvas').first().evaluate(async (canvas) => {
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
      const colours = () => {
        copy.drawImage(canvas, 0, 0);
        return new Set(new Uint32Array(copy.getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size;
      };
      for (let i = 0; i < 40 && colours() < 6; i++) await new Promise((then) => setTimeout(then, 50));
      return colours();
    }).catch(() => 0);
    check(pixels >= 6, `${name}: "${label}" is blank (${pixels} colours)`);
  }
}
const figure = async (page, label) =>
  Number((await page.locator('[aria-label="Key figures"] li').filter({ has: page.getByText(label, { exact: true }) }).locator('.sr-only').textContent()).replace(/[^\d.]/g, ''));
const ready = (page) => page.locator('[aria-busy=false] [aria-label="Key figures"] .sr-only').first().waitFor();
const until = async (condition, text) => {
  for (let i = 0; i < 60; i++) {
    if (await condition()) return;
    await new Promise((then) => setTimeout(then, 250));
  }
  check(false, text);
};
const telemetryIn = (page, wanted) => page.waitForResponse((r) => r.url().includes('/api/v1/telemetry?') && wanted(new URL(r.url()).searchParams));
async function download(page, button) {
  const [file] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') };
}

const browser = await launch();
try {
  const page = await open(browser, { viewport: { width: 1440, height: 900 }, colorScheme: 'light', reducedMotion: 'no-preference', acceptDownloads: true }, 'dashboard', signedOut);
  await page.goto(`${url}/#/`);
  await signIn(page, 'Dashboard');
  const storageState = await page.context().storageState();
  await ready(page);
  await drawn(page, 'first');
  check(await page.locator('[aria-label="Key figures"] li').count() >= 20, 'too few key figures');
  for (const label of charts) await page.getByRole('img', { name: label }).hover(); // tooltips complain of nothing

  // Live: what is requested now is seen at once, without a click.
  await page.getByRole('status').filter({ hasText: /^Live$/ }).waitFor();
  const before = await figure(page, 'Total requests');
  await traffic();
  await until(async () => await figure(page, 'Total requests') >= before + 10, 'the total does not follow the traffic');
  const fault = page.getByRole('button', { name: /^Inspect GET \/api\/v1\/no\.such\.model, 404/ }).first();
  await fault.waitFor();

  // A fault, whole: secrets are masked, and the keyboard leads out again.
  await page.getByRole('button', { name: /^Inspect POST \/api\/v1\/customers, 422/ }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Request' });
  await dialog.getByText('Time by step').waitFor();
  const record = await dialog.textContent();
  for (const wanted of ['Request id', 'curl -X POST', 'Bearer $TOKEN', 'Request body', 'Response body', 'handle']) check(record.includes(wanted), `the record has no ${wanted}`);
  check(!record.includes('hunter2'), 'the record shows a password');
  await page.screenshot({ path: join(shots, 'inspect.png') });
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });

  // The file holds what is filtered, and no formula.
  await page.getByRole('searchbox', { name: 'Search the faults' }).fill('no.such.model');
  const faults = await download(page, page.getByRole('button', { name: 'CSV' }));
  const lines = faults.text.replace('\ufeff', '').trim().split('\r\n');
  check(lines[0].startsWith('time,request_id,method') && lines.length >= 2 && lines.slice(1).every((l) => l.includes('no.such.model')), `the file ${faults.name} has ${lines.length} lines: ${lines[1]}`);
  check(lines.every((l) => !/(^|,)[=+@-]/.test(l)), 'the file has a formula');

  // Range, filters, and both in the address.
  for (const [label, range] of [['30D', '30d'], ['1Y', '1y']]) {
    await Promise.all([telemetryIn(page, (q) => q.get('range') === range), page.getByRole('button', { name: label, exact: true }).click()]);
    await ready(page);
    await drawn(page, label);
    check(page.url().includes(`range=${range}`), `the address ${page.url()} has no range ${range}`);
  }
  await Promise.all([telemetryIn(page, (q) => q.get('status') === '429' && q.get('range') === '1y'), page.getByLabel('Status', { exact: true }).selectOption('429')]);
  await ready(page);
  check(await figure(page, 'Total requests') === await figure(page, 'Rate-limited'), 'the filter by status leaves others in');
  await page.getByRole('button', { name: 'Clear' }).click();
  const callers = await page.getByLabel('Caller', { exact: true }).locator('option').evaluateAll((all) => all.map((o) => o.value));
  check(callers.some((c) => c.startsWith('user:')), `no user among the callers ${callers}`);
  const caller = callers.find((c) => c.startsWith('key:')) ?? callers[1];
  await Promise.all([telemetryIn(page, (q) => q.get('caller') === caller), page.getByLabel('Caller', { exact: true }).selectOption(caller)]);
  await ready(page);
  check(page.url().includes(`caller=${encodeURIComponent(caller)}`), `the address ${page.url()} has no caller`);
  await page.reload();
  await ready(page);
  check(await page.getByLabel('Caller', { exact: true }).inputValue() === caller, 'the address does not keep the caller');
  await page.getByRole('button', { name: '24H', exact: true }).click();
  await page.getByRole('button', { name: 'Clear' }).click();
  await ready(page);

  // The same as a table, and the theme.
  await page.getByRole('button', { name: 'Traffic as a table' }).click();
  check(await page.getByRole('region', { name: 'Traffic, table' }).locator('tbody tr').count() === 24, 'the table of the traffic has not 24 hours');
  await page.getByRole('button', { name: 'Traffic as a table' }).click();
  const ink = () => page.getByRole('img', { name: 'Histogram of latency' }).locator('canvas').first().evaluate((c) => c.toDataURL());
  await drawn(page, 'light');
  const light = await ink();
  await page.getByRole('button', { name: 'Dark', exact: true }).click();
  await until(async () => await ink() !== light, 'the charts do not take the other theme');
  await drawn(page, 'dark');
  await page.getByRole('button', { name: 'As the system' }).click();

  // Modes: polling, nothing by itself, and live again.
  await page.getByRole('button', { name: 'Poll', exact: true }).click();
  await page.getByLabel('Polling interval').selectOption('5');
  await page.getByRole('status').filter({ hasText: 'Every 5 s' }).waitFor();
  await telemetryIn(page, () => true);
  await page.getByRole('button', { name: 'Manual', exact: true }).click();
  await page.waitForLoadState('networkidle');
  let asked = 0;
  page.on('request', (r) => { if (r.url().includes('/api/v1/telemetry?')) asked++; });
  await traffic();
  await page.waitForTimeout(6000); // longer than the shortest interval
  check(asked === 0, `manual mode asked ${asked} times`);
  await Promise.all([telemetryIn(page, () => true), page.getByRole('button', { name: 'Refresh' }).click()]);
  await page.getByRole('button', { name: 'Live', exact: true }).click();
  await page.getByRole('status').filter({ hasText: /^Live$/ }).waitFor();
  const sound = page.getByRole('button', { name: 'Sound on server errors' });
  check(await sound.getAttribute('aria-pressed') === 'false', 'the sound is on');
  await sound.click();
  check(await sound.getAttribute('aria-pressed') === 'true', 'the sound stays off');
  await sound.click();

  // The log: what people look for, in the address too.
  await visit(page, '/logs', 'Traffic Logs');
  const rows = page.getByRole('table', { name: 'Requests' }).locator('tbody tr');
  await rows.first().waitFor();
  await page.getByRole('searchbox', { name: /^Search path/ }).fill('no.such.model');
  await until(async () => (await rows.allTextContents()).every((t) => t.includes('no.such.model')), 'the search leaves others in');
  check(page.url().includes('search=no.such.model'), 'the address has no search');
  const file = await download(page, page.getByRole('button', { name: 'CSV' }));
  check(file.text.split('\r\n').length > 2 && file.text.includes('no.such.model'), `the file ${file.name} is empty`);
  await page.getByRole('button', { name: /^Inspect GET/ }).first().click();
  await dialog.getByText('Repeat it').waitFor();
  check(/#\/logs\/\d+\?/.test(page.url()), `a record has no address: ${page.url()}`);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.getByRole('button', { name: 'Latency' }).click();
  await until(async () => page.url().includes('order=latency_ms'), 'the address has no order');
  await visit(page, `/logs?user=${login}&status=4xx&method=POST`, 'Traffic Logs');
  await until(async () => { const all = await rows.allTextContents(); return all.length > 0 && all.every((t) => t.includes('POST') && /4\d\d/.test(t)); }, 'a link with filters shows others');
  for (const group of ['date', 'user', 'status', 'endpoint']) {
    await visit(page, `/logs?group=${group}`, 'Traffic Logs');
    const groups = page.getByRole('table', { name: `Requests by ${group}` }).locator('tbody tr');
    await groups.first().waitFor();
    if (group === 'status') {
      await groups.filter({ hasText: '404' }).getByRole('link').click();
      await until(async () => { const all = await rows.allTextContents(); return all.length > 0 && all.every((t) => t.includes('404')); }, 'a group does not open');
    }
  }
  await page.screenshot({ path: join(shots, 'logs-groups.png') });

  // A storm of server errors is one message, a lost connection comes back, and a hidden page rests.
  const told = await open(browser, { viewport: { width: 1440, height: 900 }, storageState }, 'told');
  let sockets = 0;
  let live;
  await told.routeWebSocket(/telemetry\/live/, (ws) => {
    sockets++;
    live = ws;
    ws.send('{"type":"hello","interval_ms":1000}');
  });
  await told.goto(url);
  await told.getByRole('status').filter({ hasText: /^Live$/ }).waitFor();
  const tick = { type: 'tick', at: new Date().toISOString(), requests: 30, errors: 20, server_errors: 20, rate_limited: 0, rps: 12.5, mean_ms: 4, error_rate: 66.7 };
  for (let i = 0; i < 20; i++) {
    const failed = { request_id: `storm-${i}`, at: new Date().toISOString(), method: 'GET', path: '/api/v1/storm', status: 503, latency_ms: 3, ip: '192.0.2.1', login: '', caller: 'anonymous', error_type: 'unavailable', error_message: 'A storm' };
    live.send(JSON.stringify({ type: 'fault', fault: failed }));
  }
  live.send(JSON.stringify(tick));
  live.send('not JSON');
  await told.getByText('66.7 % of the requests fail').waitFor();
  check(await told.getByText(/^Server error: GET \/api\/v1\/storm 503$/).count() === 1, 'a storm is not one message');
  check(await told.getByRole('button', { name: /^Inspect GET \/api\/v1\/storm, 503/ }).count() >= 10, 'the storm is not in the feed');
  await until(async () => await figure(told, 'Requests / s') === 12.5, 'requests per second do not follow the ticks');
  await told.screenshot({ path: join(shots, 'dashboard-alerts.png') });
  await live.close();
  await told.getByRole('status').filter({ hasText: 'Reconnecting' }).waitFor();
  await told.getByRole('status').filter({ hasText: /^Live$/ }).waitFor();
  check(sockets === 2, `${sockets} connections`);
  await told.evaluate(() => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await told.getByRole('status').filter({ hasText: 'Paused' }).waitFor();
  await told.context().close();

  // What cannot be read says so, and how to go on.
  const broken = await open(browser, { viewport: { width: 1440, height: 900 }, storageState }, 'broken', (text) => /500/.test(text));
  await broken.route('**/api/v1/telemetry?*', (r) => r.fulfill({ status: 500, json: { success: false, error: { code: 500, type: 'internal', message: 'Internal error', request_id: 'abc' } } }));
  await broken.goto(url);
  await broken.getByText('The figures cannot be read').waitFor();
  await broken.screenshot({ path: join(shots, 'dashboard-error.png') });
  await broken.unroute('**/api/v1/telemetry?*');
  await broken.getByRole('button', { name: 'Try again' }).click();
  await ready(broken);
  await broken.context().close();
  await page.context().close();

  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1440, 768, 390]) {
      const name = `dashboard-${colorScheme}-${width}`;
      const view = await open(browser, { viewport: { width, height: width === 390 ? 844 : 900 }, colorScheme, storageState }, name);
      await view.goto(`${url}/#/?range=30d`);
      await ready(view);
      await drawn(view, name);
      const wide = await view.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      check(wide <= 0, `${name}: ${wide} px too wide`);
      await view.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
      await visit(view, '/logs', 'Traffic Logs');
      check(await view.evaluate(() => document.documentElement.scrollWidth - innerWidth) <= 0, `logs ${name}: too wide`);
      await view.screenshot({ path: join(shots, `${name.replace('dashboard', 'logs')}.png`) });
      await view.context().close();
    }
  }
} catch (error) {
  check(false, error.stack);
} finally {
  await browser.close();
}
finish();
