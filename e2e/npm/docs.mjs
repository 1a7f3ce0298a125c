// Opens the documentation of a running Gatehouse in a browser and sends requests
// from it with each kind of credential. GATEHOUSE is its address; TOKEN an access
// token, KEY an API key with the scope admin, CLIENT_ID and CLIENT_SECRET an
// OAuth2 client. CHROMIUM is the browser, SHOTS a folder for pictures ("": none).
import assert from 'node:assert/strict'
import { chromium } from 'playwright-core'

const { GATEHOUSE, TOKEN, KEY, CLIENT_ID, CLIENT_SECRET, SHOTS, CHROMIUM = '/usr/bin/chromium' } = process.env
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
const wrong = []

async function open(colorScheme) {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1400, height: 900 } })
  page.setDefaultTimeout(30_000)
  page.on('console', (m) => ['error', 'warning'].includes(m.type()) && wrong.push(`console: ${m.text()}`))
  page.on('pageerror', (e) => wrong.push(`error: ${e}`))
  page.on('requestfailed', (r) => wrong.push(`failed: ${r.url()} ${r.failure()?.errorText}`))
  page.on('request', (r) => /^(data|blob):/.test(r.url()) || r.url().startsWith(`${GATEHOUSE}/`) || wrong.push(`asked another host: ${r.url()}`))
  await page.goto(`${GATEHOUSE}/api/docs#tag/session/GET/api/v1/ping`)
  await page.getByRole('heading', { name: 'Checks a credential' }).waitFor()
  return page
}

async function shoot(page, name) {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}.png` })
}

async function testRequest(page) {
  await page.getByRole('button', { name: 'Test Request (get /api/v1/ping)' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.waitFor()
  return dialog
}

// send sends the open request and gives the headers that it had. A page that has
// just got a token may take a moment until its requests have it: then a request
// that is refused is sent again.
async function send(page, dialog, tries = 1) {
  let answer
  for (const before = wrong.length; tries > 0; tries--) {
    ;[answer] = await Promise.all([
      page.waitForResponse((r) => r.url() === `${GATEHOUSE}/api/v1/ping`),
      dialog.getByRole('button', { name: 'Send', exact: false }).first().click(),
    ])
    if (answer.status() !== 401 || tries === 1) break
    await page.waitForTimeout(500)
    wrong.length = before // the browser tells of refusals, too
  }
  assert.equal(answer.status(), 200)
  await dialog.getByText('"pong"').first().waitFor()
  return answer.request().allHeaders()
}

// The page in both themes, and a request with each credential.
for (const scheme of ['light', 'dark']) {
  const page = await open(scheme)
  await shoot(page, `docs-${scheme}`)
  assert.equal(await page.evaluate(() => document.body.classList.contains('dark-mode')), scheme === 'dark')
  await page.close()
}

// A token, put into the request.
let page = await open('light')
let dialog = await testRequest(page)
await dialog.getByPlaceholder('Token').fill(TOKEN)
assert.equal((await send(page, dialog)).authorization, `Bearer ${TOKEN}`)
await shoot(page, 'docs-request')
await page.close()

// A key, put into the page: every model that it may use is there, and requests have it.
page = await open('dark')
await page.getByLabel('Access token or API key').fill(KEY)
await page.getByRole('button', { name: 'Show what it may use' }).click()
await page.getByText('What this credential may use').waitFor()
await page.getByText('res.partner', { exact: true }).first().waitFor()
await shoot(page, 'docs-models')
await page.goto(`${GATEHOUSE}/api/docs#tag/session/GET/api/v1/ping`)
dialog = await testRequest(page)
assert.equal((await send(page, dialog))['x-api-key'], KEY)
await page.close()

// A client, which gets a token first.
page = await open('light')
await page.goto(`${GATEHOUSE}/api/docs#description/introduction`)
await page.getByRole('button', { name: /Selected Auth Type/ }).first().click()
for (const scheme of ['oauth2', 'bearer']) await page.getByRole('option', { name: scheme }).first().click()
await page.getByRole('heading', { name: 'Gatehouse', exact: true }).first().click()
await page.locator('[data-placeholder="12345"]').click()
await page.keyboard.type(CLIENT_ID)
await page.getByPlaceholder('XYZ123').fill(CLIENT_SECRET)
const [issued] = await Promise.all([
  page.waitForResponse((r) => r.url() === `${GATEHOUSE}/api/oauth/token`),
  page.getByRole('button', { name: 'Authorize', exact: true }).click(),
])
assert.equal(issued.status(), 200)
const { access_token: token } = await issued.json()
await page.getByText('Access Token').first().waitFor()
await shoot(page, 'docs-client')
await page.goto(`${GATEHOUSE}/api/docs#tag/session/GET/api/v1/ping`)
dialog = await testRequest(page)
assert.equal((await send(page, dialog, 5)).authorization, `Bearer ${token}`)
await page.close()

await browser.close()
assert.deepEqual(wrong, [])
console.log('ok')
