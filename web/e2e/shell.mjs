// Opens everything in the menu: both themes, a desktop and a phone.
import { join } from 'node:path';
import { check, finish, launch, open, shots, signIn, signedOut, url, visit } from './browser.mjs';

const browser = await launch();
try {
  const first = await open(browser, { viewport: { width: 1440, height: 900 }, colorScheme: 'light' }, 'login', signedOut);
  await first.goto(`${url}/#/keys`);
  await first.getByRole('heading', { name: 'Sign in' }).waitFor();
  await first.screenshot({ path: join(shots, 'login-light.png') });
  await first.emulateMedia({ colorScheme: 'dark' });
  await first.screenshot({ path: join(shots, 'login-dark.png') });
  await signIn(first, 'API Keys');
  const storageState = await first.context().storageState();
  const cookie = storageState.cookies.find((c) => c.name === 'gatehouse_session');
  check(cookie?.httpOnly && cookie.sameSite === 'Strict', `cookie ${JSON.stringify(cookie)}`);

  const entries = await first.locator('aside nav a[href^="#"]').evaluateAll((links) =>
    links.map((a) => [a.getAttribute('href').slice(1), a.textContent.trim()]));
  check(entries.length === 14, `${entries.length} entries in the menu`);

  for (const colorScheme of ['light', 'dark']) {
    for (const width of [1440, 390]) {
      const name = `${colorScheme}-${width}`;
      const page = await open(browser, { viewport: { width, height: width === 390 ? 844 : 900 }, colorScheme, storageState }, name);
      await page.goto(url);
      for (const [path, title] of entries) {
        await visit(page, path, path.startsWith('/webhooks') ? `Webhooks: ${title}` : title);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        check(wide <= 0, `${name} ${path}: ${wide} px too wide`);
        await page.screenshot({ path: join(shots, `${name}${path === '/' ? '-dashboard' : path.replaceAll('/', '-')}.png`) });
      }
      if (width === 390) {
        await page.getByRole('button', { name: 'Open the menu' }).click();
        await page.screenshot({ path: join(shots, `${name}-menu.png`) });
        await page.locator('dialog').getByRole('link', { name: 'API Keys' }).click();
        await page.getByRole('heading', { level: 1, name: 'API Keys' }).waitFor();
        check(await page.locator('dialog[open]').count() === 0, `${name}: the menu stays open`);
      } else {
        const current = page.locator('aside [aria-current=page]');
        check(await current.count() === 1, `${name}: not one current entry`);
      }
      await page.context().close();
    }
  }

  // The theme that was chosen stays, and follows the system where none was.
  const ground = () => first.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const dark = await ground();
  await first.emulateMedia({ colorScheme: 'light' });
  const light = await ground();
  check(dark !== light, 'auto does not follow the system');
  await first.getByRole('button', { name: 'Dark', exact: true }).click();
  await first.reload();
  await first.getByRole('heading', { level: 1, name: 'API Keys' }).waitFor();
  check(await ground() === dark, 'the chosen theme does not stay');

  // By the keyboard alone: past the menu, and out.
  await first.keyboard.press('Tab');
  await first.keyboard.press('Enter');
  check(await first.evaluate(() => document.activeElement?.id) === 'main', 'the skip link does not skip');
  await first.getByRole('button', { name: /^Account of/ }).press('Enter');
  await first.getByRole('button', { name: 'Sign out' }).press('Enter');
  await first.getByRole('heading', { name: 'Sign in' }).waitFor();

  // A session that ends elsewhere leads to the login, and back to where one was.
  await first.evaluate(() => { location.hash = '/jobs'; });
  await signIn(first, 'Jobs');
} finally {
  await browser.close();
}
finish();
