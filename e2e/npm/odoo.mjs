// Works with a running Gatehouse through odoo-await (XML-RPC), as with any Odoo.
// Everything comes in by the environment: GATEHOUSE (its address), LOGIN and
// PASSWORD of an administrator, OTHER and OTHER_PASSWORD of somebody who may not
// do much. Ends with exit code 0 if all went well.
import assert from 'node:assert/strict'
import Odoo from 'odoo-await'

const { GATEHOUSE, LOGIN, PASSWORD, OTHER, OTHER_PASSWORD } = process.env
const sign = (username, password) => new Odoo({ baseUrl: GATEHOUSE, db: 'my_database', username, password })

const odoo = sign(LOGIN, PASSWORD)
assert.ok((await odoo.connect()) > 0)

const name = 'Łukasz & Søn <Co> 木'
const id = await odoo.create('res.partner', { name, is_company: true, email: 'await@example.com' })
assert.deepEqual(await odoo.search('res.partner', { email: 'await@example.com' }), [id])
const [read] = await odoo.read('res.partner', [id], ['name', 'is_company', 'parent_id', 'create_date'])
assert.equal(read.name, name)
assert.equal(read.is_company, true)
assert.equal(read.parent_id, false)
assert.match(read.create_date, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
assert.equal(await odoo.update('res.partner', id, { city: 'Gdańsk' }), true)
const found = await odoo.searchRead('res.partner', [['id', '=', id]], ['city'], { limit: 1, order: 'id desc' })
assert.deepEqual(found, [{ id, city: 'Gdańsk' }])

// Links between records, in this client's own notation.
const tag = await odoo.create('res.partner.category', { name: 'Customers of odoo-await' })
await odoo.update('res.partner', id, { category_id: { action: 'add', id: tag } })
assert.deepEqual((await odoo.read('res.partner', [id], ['category_id']))[0].category_id, [tag])

// A business method, and the fields of a model.
const product = await odoo.create('product.template', { name: 'Chair', list_price: 99, type: 'service' })
const [variant] = await odoo.search('product.product', { product_tmpl_id: product })
const order = await odoo.create('sale.order', { partner_id: id, order_line: { action: 'create', value: [{ product_id: variant }] } })
assert.equal(await odoo.action('sale.order', 'action_confirm', [order]), true)
assert.equal((await odoo.read('sale.order', [order], ['state']))[0].state, 'sale')
assert.equal((await odoo.getFields('res.partner', ['type'])).name.type, 'char')

assert.equal(await odoo.delete('res.partner', await odoo.create('res.partner', { name: 'gone' })), true)

const fault = (code) => (error) => error.faultCode === code && !/Traceback/.test(error.faultString)
await assert.rejects(odoo.update('res.partner', 987654, { name: 'x' }), fault(2))
await assert.rejects(odoo.action('res.partner', 'no_such_method', [id]), fault(1))
await assert.rejects(sign(LOGIN, 'wrong').connect())

const other = sign(OTHER, OTHER_PASSWORD)
await other.connect()
await assert.rejects(other.delete('sale.order', order), fault(4))
