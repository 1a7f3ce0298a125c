// Makes, reads, changes and deletes records of a running Gatehouse through
// openapi-fetch, with types that openapi-typescript made of its API document
// (gen/api.ts). GATEHOUSE is the address of the server and KEY an API key. A
// name or a type that is not as the document says does not compile.
import assert from 'node:assert/strict'
import createClient from 'openapi-fetch'
import type { components, paths } from './gen/api.js'

const api = createClient<paths>({
  baseUrl: process.env.GATEHOUSE!,
  headers: { 'X-API-Key': process.env.KEY! },
})

// Records of a model.
type Partner = components['schemas']['res.partner']
const created = await api.POST('/api/v1/res.partner', { body: { name: 'Acme of TypeScript', is_company: true } })
assert.equal(created.response.status, 201)
const id = (created.data!.data as Partner).id
const one = { path: { id } }

const changed = await api.PATCH('/api/v1/res.partner/{id}', {
  params: { ...one, query: { fields: 'name,phone' } },
  body: { phone: '+32 2 555 01 23' },
})
assert.equal(changed.data!.data.phone, '+32 2 555 01 23')

const read = await api.GET('/api/v1/res.partner/{id}', { params: one })
assert.equal(read.data!.data.name, 'Acme of TypeScript')
assert.equal(read.data!.data.is_company, true)

const found = await api.GET('/api/v1/res.partner', { params: { query: { domain: "[('name','=','Acme of TypeScript')]" } } })
if (typeof found.data !== 'object') throw new Error('a list that was not asked for as a text') // CSV and NDJSON are
assert.equal(found.data.data.length, 1)
assert.equal(found.data.meta.count, 1)

const deleted = await api.DELETE('/api/v1/res.partner/{id}', { params: one })
assert.equal(deleted.data!.success, true)

const gone = await api.GET('/api/v1/res.partner/{id}', { params: one })
assert.equal(gone.error!.error.type, 'not_found')

// @ts-expect-error a name is a text
const wrong: components['schemas']['res.partner-update'] = { name: 1 }
assert.equal((await api.POST('/api/v1/res.partner', { body: { ...wrong, child_ids: 7 as never } })).error!.error.type, 'bad_request')

// A curated resource.
const customer = await api.POST('/api/v1/customers', { body: { name: 'Ann of TypeScript', email: 'ann@ts.example' } })
const customerID = (customer.data!.data as components['schemas']['Customer']).id
const moved = await api.PATCH('/api/v1/customers/{id}', { params: { path: { id: customerID } }, body: { city: 'Ghent' } })
assert.equal(moved.data!.data.city, 'Ghent')
await api.DELETE('/api/v1/customers/{id}', { params: { path: { id: customerID } } })
console.log('ok')
