// Gets, uses, inspects and revokes tokens of a running Gatehouse with OAuth2
// clients that other people wrote. Everything comes in by the environment:
// GATEHOUSE (its address), CLIENT_ID, CLIENT_SECRET, JWT_CLIENT_ID and
// JWT_PRIVATE_KEY (PKCS #8, of a P-256 key). Ends with exit code 0 if all went well.
import assert from 'node:assert/strict'
import * as oauth from 'oauth4webapi'
import * as jose from 'jose'
import { ClientCredentials } from 'simple-oauth2'

const { GATEHOUSE, CLIENT_ID, CLIENT_SECRET, JWT_CLIENT_ID, JWT_PRIVATE_KEY } = process.env
const options = { [oauth.allowInsecureRequests]: true } // http on this machine

// Discovery (RFC 8414).
const issuer = new URL(GATEHOUSE)
const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options })
const as = await oauth.processDiscoveryResponse(issuer, discovered)
assert.equal(as.issuer, GATEHOUSE)
assert.equal(as.token_endpoint, `${GATEHOUSE}/api/oauth/token`)

const me = (token) => fetch(`${GATEHOUSE}/api/v1/auth/me`, { headers: { authorization: `Bearer ${token}` } })

async function grant(client, auth, scope) {
  const parameters = new URLSearchParams(scope ? { scope } : {})
  const response = await oauth.clientCredentialsGrantRequest(as, client, auth, parameters, options)
  return oauth.processClientCredentialsResponse(as, client, response)
}

// oauth4webapi with each way to authenticate.
const client = { client_id: CLIENT_ID }
const jwtClient = { client_id: JWT_CLIENT_ID }
const key = await jose.importPKCS8(JWT_PRIVATE_KEY, 'ES256')
for (const [who, auth] of [
  [client, oauth.ClientSecretBasic(CLIENT_SECRET)],
  [client, oauth.ClientSecretPost(CLIENT_SECRET)],
  [jwtClient, oauth.PrivateKeyJwt(key)],
]) {
  const answer = await grant(who, auth, 'read admin')
  assert.equal(answer.scope, 'read')
  assert.equal(answer.token_type, 'bearer') // oauth4webapi lowers it
  assert.equal(answer.expires_in, 3600)
  const token = answer.access_token
  assert.equal((await me(token)).status, 200)

  const inspected = await oauth.introspectionRequest(as, who, auth, token, options)
  const told = await oauth.processIntrospectionResponse(as, who, inspected)
  assert.equal(told.active, true)
  assert.equal(told.client_id, who.client_id)

  // Whoever has the public key can check the token without asking us.
  const keys = jose.createRemoteJWKSet(new URL(as.jwks_uri))
  const { payload, protectedHeader } = await jose.jwtVerify(token, keys, { issuer: 'gatehouse' })
  assert.equal(protectedHeader.alg, 'ES256')
  assert.deepEqual(payload.scopes, ['read'])

  await oauth.processRevocationResponse(await oauth.revocationRequest(as, who, auth, token, options))
  assert.equal((await me(token)).status, 401)
  const after = await oauth.introspectionRequest(as, who, auth, token, options)
  assert.deepEqual(await oauth.processIntrospectionResponse(as, who, after), { active: false })
}

// Refusals come as errors that the client understands.
await assert.rejects(grant(client, oauth.ClientSecretPost('wrong')), { error: 'invalid_client', status: 401 })
await assert.rejects(grant(client, oauth.ClientSecretPost(CLIENT_SECRET), 'admin'), { error: 'invalid_scope', status: 400 })
await assert.rejects(grant(client, oauth.ClientSecretBasic('wrong')), (e) => e.cause?.[0]?.scheme === 'basic')

// simple-oauth2.
for (const authorizationMethod of ['header', 'body']) {
  const simple = new ClientCredentials({
    client: { id: CLIENT_ID, secret: CLIENT_SECRET },
    auth: { tokenHost: GATEHOUSE, tokenPath: '/api/oauth/token', revokePath: '/api/oauth/revoke' },
    options: { authorizationMethod },
  })
  const { token } = await simple.getToken({ scope: ['read', 'write'] })
  assert.equal(token.scope, 'read write')
  assert.equal((await me(token.access_token)).status, 200)
}
console.log('all went well')
