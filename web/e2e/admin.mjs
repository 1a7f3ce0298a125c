// Clicks through the pages of administrators as one would: makes, uses and
// revokes things, looks at every page in both themes on a desktop and a phone.
import { createServer } from 'node:http';
import { join } from 'node:path';
import { check, finish, launch, open, shots, signIn, signedOut, url, visit } from './browser.mjs';

const wide = { width: 1440, height: 900 };
const stamp = Date.now().toString(36);
const address = `198.51.100.${Date.now() % 250}`;

// A receiver of webhooks that takes everything.
const received = [];
const receiver = createServer((request, response) => {
  let body = '';
  request.on('data', (part) => { body += part; });
  request.on('end', () => {
    received.push({ headers: request.headers, body });
    response.end('taken');
  });
});
await new Promise((done) => { receiver.listen(0, '127.0.0.1', done); });
const hook = `http://127.0.0.1:${receiver.address().port}/hook`;

const browser = await launch();
let step = 'signing in';
try {
  // What the server refuses on purpose is reported by the browser's console.
  const refused = (text, from) => signedOut(text, from) || /status of (400|422)/.test(text);
  const page = await open(browser, { viewport: wide, colorScheme: 'light', permissions: ['clipboard-read', 'clipboard-write'] }, 'admin', refused);
  page.setDefaultTimeout(10_000);
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  const dialog = () => page.locator('dialog[open]').last();
  const row = (text) => page.locator('tbody tr').filter({ hasText: text });
  const button = (name) => page.getByRole('button', { name, exact: true });
  const shoot = (name) => page.screenshot({ path: join(shots, `admin-${name}.png`) });
  const closed = () => page.locator('dialog[open]').waitFor({ state: 'detached' });
  const told = (text) => page.locator('[aria-live=polite]').getByText(text).first().waitFor();

  await page.goto(url);
  await signIn(page, 'Dashboard');
  const storageState = await page.context().storageState();

  step = 'a client: its secret is seen once';
  await visit(page, '/clients', 'OAuth2 Clients');
  await page.getByRole('button', { name: 'New OAuth2 client' }).or(page.getByRole('link', { name: 'New OAuth2 client' })).first().click();
  await dialog().getByRole('button', { name: 'Create OAuth2 client' }).click();
  await dialog().getByText('Name is needed').waitFor();
  await dialog().getByText('Choose a user').waitFor();
  await shoot('form-errors');
  await dialog().getByLabel('Name').fill(`client ${stamp}`);
  await dialog().getByLabel('Runs as').fill('admin');
  await dialog().getByRole('option').first().click();
  await dialog().getByLabel('Of single models').fill('nonsense');
  await dialog().getByRole('button', { name: 'Create OAuth2 client' }).click();
  await dialog().getByText(/Unknown scope: nonsense/).first().waitFor();
  await dialog().getByLabel('Of single models').fill('res.partner:read');
  await dialog().getByRole('button', { name: 'Create OAuth2 client' }).click();
  const shown = dialog().locator('[data-secret="Client secret"]');
  const secret = (await shown.textContent()).trim();
  check(secret.length === 32, `client secret of ${secret.length} characters`);
  await dialog().getByRole('button', { name: 'Copy client secret' }).click();
  check(await clipboard() === secret, 'the copied secret is another');
  await shoot('client-secret');
  const clientId = (await dialog().locator('[data-secret="Client id"]').textContent()).trim();
  const token = await fetch(`${url}/api/oauth/token`, {
    method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: secret }),
  });
  check(token.status === 200, `token: ${token.status}`);
  await visit(page, '/tokens', 'OAuth2 Tokens');
  await row(`client ${stamp}`).first().waitFor();
  await visit(page, '/clients', 'OAuth2 Clients');
  await row(`client ${stamp}`).waitFor();
  check(!(await page.content()).includes(secret), 'the secret is still in the page');

  step = 'a token is revoked';
  await row(`client ${stamp}`).getByRole('link', { name: 'Tokens' }).click();
  await page.getByRole('heading', { level: 1, name: 'OAuth2 Tokens' }).waitFor();
  await row('Live').getByRole('button', { name: 'Revoke' }).click();
  await shoot('confirm');
  await dialog().getByRole('button', { name: 'Revoke the token' }).click();
  await told('The token is revoked');
  await row('Revoked').waitFor();

  step = 'a key, by the keyboard alone';
  await visit(page, '/keys', 'API Keys');
  await page.getByRole('link', { name: 'New API key' }).focus();
  await page.keyboard.press('Enter');
  await dialog().getByLabel('Name').waitFor();
  await page.waitForFunction(() => document.activeElement?.tagName === 'INPUT');
  await page.keyboard.type(`key ${stamp}`);
  await page.keyboard.press('Tab');
  await page.keyboard.type('admin');
  await dialog().getByRole('option', { name: /Administrator/ }).first().waitFor();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Control+Enter');
  const keyShown = dialog().locator('[data-secret="API key"]');
  const key = (await keyShown.textContent()).trim();
  check(key.length === 64, `key of ${key.length} characters`);
  check((await dialog().locator('[data-curl]').textContent()).includes(`X-API-Key: ${key}`), 'the curl line lacks the key');
  await shoot('key');
  const ping = await fetch(`${url}/api/v1/ping`, { headers: { 'X-API-Key': key } });
  check(ping.status === 200, `ping: ${ping.status}`);
  await page.keyboard.press('Escape');
  await closed();
  check(!(await page.content()).includes(key), 'the key is still in the page');

  step = 'unsaved changes are asked for';
  await row(`key ${stamp}`).getByRole('link', { name: `key ${stamp}` }).click();
  await dialog().getByLabel('Per minute').fill('7');
  await page.keyboard.press('Escape');
  await dialog().getByText('Discard what you changed?').waitFor();
  await dialog().getByRole('button', { name: 'Cancel' }).click();
  await page.goBack();
  await dialog().getByText('Discard what you changed?').waitFor();
  await dialog().getByRole('button', { name: 'Cancel' }).click();
  await dialog().getByRole('button', { name: 'Save' }).click();
  await closed();
  await row(`key ${stamp}`).getByText('7 / min').waitFor();

  step = 'a key is revoked';
  await row(`key ${stamp}`).getByRole('button', { name: 'Revoke' }).click();
  await dialog().getByRole('button', { name: 'Revoke the key' }).click();
  await row(`key ${stamp}`).getByText('Revoked', { exact: true }).waitFor();
  const after = await fetch(`${url}/api/v1/ping`, { headers: { 'X-API-Key': key } });
  check(after.status === 401, `ping with a revoked key: ${after.status}`);

  step = 'a key of a user';
  await page.getByRole('link', { name: 'Keys of users' }).click();
  await page.getByRole('link', { name: 'New key of a user' }).click();
  await dialog().getByLabel('Description').fill(`own ${stamp}`);
  await dialog().getByLabel('User').fill('admin');
  await dialog().getByRole('option', { name: /Administrator/ }).first().click();
  await dialog().getByRole('button', { name: 'Create key of a user' }).click();
  const own = (await dialog().locator('[data-secret="Key"]').textContent()).trim();
  check((await fetch(`${url}/api/v1/ping`, { headers: { Authorization: `Bearer ${own}` } })).status === 200, 'the key of a user is refused');
  await dialog().getByRole('button', { name: 'I have kept it' }).click();

  step = 'a profile';
  await visit(page, '/profiles/new', 'API Profiles');
  await dialog().getByLabel('Name').fill(`profile ${stamp}`);
  await dialog().getByLabel('User').fill('demo-manager');
  await dialog().getByRole('option').first().click();
  await dialog().getByLabel('Per hour').fill('many');
  await dialog().getByLabel('Allowed addresses').fill('10.0.0.0/8\n1.2.3');
  await dialog().getByRole('button', { name: 'Create API profile' }).click();
  await dialog().getByText('Must be a whole number').waitFor();
  await dialog().getByText(/“1.2.3” is no address/).waitFor();
  await dialog().getByLabel('Per hour').fill('12000');
  await dialog().getByLabel('Allowed addresses').fill('10.0.0.0/8');
  await dialog().getByRole('button', { name: 'Create API profile' }).click();
  await row(`profile ${stamp}`).getByText('12,000 / h').waitFor();
  await row(`profile ${stamp}`).getByRole('button', { name: 'Archive' }).click();
  await row(`profile ${stamp}`).waitFor({ state: 'detached' });
  await page.getByLabel('State').selectOption('archived');
  await row(`profile ${stamp}`).getByText('Archived', { exact: true }).waitFor();
  check(page.url().includes('state=archived'), 'the filter is not in the address');
  await page.getByPlaceholder('Search by name or user').fill('there is none like that');
  await page.getByText('Nothing matches').waitFor();
  await button('Show all').click();

  step = 'a webhook and its test event';
  await visit(page, '/webhooks/new', 'Webhooks: Configuration');
  await dialog().getByLabel('Name').fill(`hook ${stamp}`);
  await dialog().getByLabel('Model', { exact: true }).or(dialog().getByLabel('Model*')).first().fill('res.partner');
  await dialog().getByRole('option').first().click();
  await dialog().getByLabel('URL').fill(hook);
  await dialog().getByLabel('Fields to send').fill('name, emaill');
  await dialog().getByLabel('Headers').fill('X-Shop: one');
  await dialog().getByRole('button', { name: 'Create webhook' }).click();
  await dialog().getByText('Did you mean email?').first().waitFor();
  await dialog().getByLabel('Fields to send').fill('name, email');
  await shoot('webhook-form');
  await dialog().getByRole('button', { name: 'Create webhook' }).click();
  check((await dialog().locator('[data-secret="Signing secret"]').textContent()).trim().startsWith('whsec_'), 'no signing secret');
  await dialog().getByRole('button', { name: 'I have kept it' }).click();
  await row(`hook ${stamp}`).getByRole('button', { name: 'Test', exact: true }).click();
  await dialog().locator('[data-result=done]').waitFor();
  await dialog().getByText('taken', { exact: true }).waitFor();
  check(received.some((r) => r.headers['x-shop'] === 'one' && r.body.includes('"test"')), 'the receiver saw no test event');
  await shoot('webhook-test');
  await dialog().getByRole('button', { name: 'Close', exact: true }).last().click();
  await row(`hook ${stamp}`).getByRole('link', { name: 'Queue' }).click();
  await page.getByRole('heading', { level: 1, name: 'Webhooks: Queue' }).waitFor();
  await page.locator('tbody tr').first().getByRole('link', { name: /^#/ }).click();
  await dialog().getByText('Payload').waitFor();
  await dialog().getByText('taken', { exact: true }).waitFor();
  await shoot('webhook-job');
  const before = received.length;
  await dialog().getByRole('button', { name: 'Send again' }).click();
  await dialog().getByText('Send it once more?').waitFor();
  await dialog().getByRole('button', { name: 'Send again' }).last().click();
  await told('The job is sent again');
  for (let i = 0; i < 50 && received.length === before; i++) await page.waitForTimeout(100);
  check(received.length > before, 'the job was not sent again');
  await page.keyboard.press('Escape');
  await closed();
  await button('Resend failed …').click();
  await dialog().getByRole('button', { name: 'Send again' }).click();
  await told('There was nothing to send again');

  step = 'a setting: changed, wrong, and reset';
  await visit(page, '/settings', 'Settings');
  const setting = page.locator('[data-setting=default_get_limit]');
  await setting.getByRole('textbox').fill('many');
  await setting.getByText('Must be a whole number').waitFor();
  await setting.getByRole('textbox').fill('5000');
  await button('Save').click();
  await setting.getByText(/must not be more/i).or(page.getByText(/must not be more/i)).first().waitFor();
  await shoot('setting-wrong');
  await setting.getByRole('textbox').fill('25');
  await button('Save').click();
  await told('The settings are saved');
  await setting.getByRole('button', { name: /Reset/ }).click();
  await button('Save').click();
  await button('Save').waitFor({ state: 'detached' });
  check(await setting.getByRole('textbox').inputValue() === '80', 'the setting is not at its default');
  await button('Rotate the signing key …').click();
  check(await dialog().getByRole('button', { name: 'Make a new key' }).isDisabled(), 'the key could be rotated without typing');
  await dialog().getByLabel(/^Type rotate/).fill('rotate');
  await dialog().getByRole('button', { name: 'Make a new key' }).click();
  await told('Tokens are signed with a new key');

  step = 'an address is blocked and unblocked';
  await visit(page, '/blocks/new', 'Blocked IPs');
  await dialog().getByLabel('Address').fill('192.0.2.300');
  await dialog().getByRole('button', { name: 'Create block' }).click();
  await dialog().getByText(/is not one IP address/).first().waitFor();
  await dialog().getByLabel('Address').fill(address);
  await dialog().getByLabel('Reason').fill('tries passwords');
  await dialog().getByRole('button', { name: 'Create block' }).click();
  await row(address).getByText('Blocked', { exact: true }).waitFor();
  await row(address).getByRole('button', { name: 'Unblock' }).click();
  await dialog().getByLabel('Note (why)').fill('was ours');
  await dialog().getByRole('button', { name: 'Unblock' }).click();
  await row(address).waitFor({ state: 'detached' });
  await page.getByLabel('State').selectOption('ended');
  await row(address).getByText('was ours').first().waitFor();

  step = 'a job is run and paused';
  await visit(page, '/jobs', 'Jobs');
  await row('token_vacuum').getByRole('button', { name: 'Run now' }).click();
  await row('token_vacuum').getByText('Fine').waitFor({ timeout: 20_000 });
  await row('token_vacuum').getByRole('button', { name: 'Pause' }).click();
  await dialog().getByRole('button', { name: 'Pause the job' }).click();
  await row('token_vacuum').getByRole('button', { name: 'Resume' }).click();
  await row('token_vacuum').getByRole('button', { name: 'Pause' }).waitFor();

  step = 'the audit trail';
  await visit(page, '/audit', 'Audit');
  await page.getByLabel('Model').selectOption('settings');
  await row('default_get_limit').first().getByRole('link').first().click();
  await dialog().getByText('25', { exact: true }).waitFor();
  await shoot('audit-entry');
  await page.keyboard.press('Escape');
  await closed();

  step = 'the data';
  await visit(page, '/data', 'Data browser');
  await page.getByPlaceholder(/Which model/).fill('res.partner');
  await page.getByRole('link', { name: /^res\.partner/ }).first().click();
  await page.locator('tbody tr').first().waitFor();
  await page.getByLabel('Domain').fill("[('is_companyy', '=', True)]");
  await button('Find').click();
  await page.getByText(/Did you mean is_company\?/).waitFor();
  await shoot('data-wrong');
  await page.getByLabel('Domain').fill("[('is_company', '=', True)]");
  await page.keyboard.press('Enter');
  await page.locator('tbody tr').first().waitFor();
  check((await page.locator('[data-curl]').textContent()).includes('is_company'), 'the curl line is of something else');
  await button('Columns').click();
  await dialog().getByLabel('Search fields').fill('country_id');
  await dialog().getByText('country_id', { exact: true }).click();
  await dialog().getByRole('button', { name: /^Show/ }).click();
  await closed();
  await page.locator('thead').getByText('Country').first().waitFor();
  await shoot('data-list');
  await page.locator('tbody tr').first().getByRole('link').first().click();
  await page.getByLabel('Search fields').waitFor();
  await shoot('data-record');

  step = 'what does not answer';
  const down = await open(browser, { viewport: wide, storageState }, 'error', (text) => /50[03]/.test(text));
  await down.route('**/api/v1/gateway.key*', (route) => route.fulfill({ status: 503, contentType: 'application/json',
    body: JSON.stringify({ success: false, error: { code: 503, type: 'unavailable', message: 'The store cannot be reached', request_id: 'r1' } }) }));
  await down.goto(`${url}/#/keys`);
  await down.getByText('This list could not be loaded').waitFor();
  await down.screenshot({ path: join(shots, 'admin-error.png') });
  await down.unroute('**/api/v1/gateway.key*');
  await down.getByRole('button', { name: 'Try again' }).click();
  await down.getByText(`key ${stamp}`).waitFor();
  await down.context().close();

  step = 'every page, light and dark, wide and narrow';
  const places = [
    ['/profiles?state=all', 'API Profiles'], ['/profiles/new', 'API Profiles'], ['/keys', 'API Keys'], ['/keys/new', 'API Keys'], ['/keys/users', 'API Keys'],
    ['/clients', 'OAuth2 Clients'], ['/clients/new', 'OAuth2 Clients'], ['/tokens?state=all', 'OAuth2 Tokens'], ['/throttles', 'Active Throttles'],
    ['/blocks?state=all', 'Blocked IPs'], ['/blocks', 'Blocked IPs'], ['/webhooks', 'Webhooks: Configuration'], ['/webhooks/new', 'Webhooks: Configuration'],
    ['/webhooks/queue', 'Webhooks: Queue'], ['/jobs', 'Jobs'], ['/audit', 'Audit'], ['/settings', 'Settings'],
    ['/data', 'Data browser'], ['/data/res.partner', 'Data browser'], ['/data/sale.order/1', 'Data browser'],
  ];
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1440, 390]) {
      const name = `${colorScheme}-${width}`;
      const one = await open(browser, { viewport: { width, height: width === 390 ? 844 : 900 }, colorScheme, storageState }, name);
      await one.goto(`${url}/#/settings`); // not the dashboard, whose socket would be cut off
      for (const [path, title] of places) {
        await visit(one, path, title);
        if (path.endsWith('/new')) await one.locator('dialog[open]').getByLabel(/Name|Address/).first().waitFor();
        const over = await one.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        check(over <= 0, `${name} ${path}: ${over} px too wide`);
        await one.screenshot({ path: join(shots, `${name}${path.replaceAll(/[/?=]/g, '-')}.png`) });
        if (path.endsWith('/new')) {
          await one.keyboard.press('Escape');
          await one.locator('dialog[open]').waitFor({ state: 'detached' });
        }
      }
      await one.context().close();
    }
  }

} catch (error) {
  check(false, `${step}: ${error.message}`);
} finally {
  await browser.close();
  receiver.close();
}
finish();
