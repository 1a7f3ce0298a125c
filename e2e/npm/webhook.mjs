// Checks a call of a webhook with the reference library of Standard Webhooks.
// Reads {"secrets", "headers", "body"} from standard input; ends with exit code
// 0 if every secret verifies the call and nothing that was altered passes.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Webhook } from 'standardwebhooks'

const { secrets, headers, body } = JSON.parse(readFileSync(0, 'utf8'))
for (const secret of secrets) {
  const webhook = new Webhook(secret)
  const payload = webhook.verify(body, headers)
  assert.equal(payload.event_id, headers['webhook-id'])
  assert.throws(() => webhook.verify(body + ' ', headers))
  assert.throws(() => webhook.verify(body, { ...headers, 'webhook-id': 'evt_other' }))
}
assert.throws(() => new Webhook('whsec_' + Buffer.alloc(32).toString('base64')).verify(body, headers))
