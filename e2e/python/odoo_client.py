"""Works with a running Gatehouse through OdooRPC, as with any Odoo.

Everything comes in by the environment: GATEHOUSE_HOST and GATEHOUSE_PORT, LOGIN
and PASSWORD of an administrator, and of somebody who may not do much. Ends with
exit code 0 if all went well.
"""
import os

import odoorpc

env = os.environ
odoo = odoorpc.ODOO(env["GATEHOUSE_HOST"], port=int(env["GATEHOUSE_PORT"]))
assert odoo.version == "19.0", odoo.version
odoo.login("my_database", env["LOGIN"], env["PASSWORD"])
assert odoo.env.user.login == env["LOGIN"], odoo.env.user
assert odoo.env.db == "my_database"
assert odoo.env.context["uid"] == odoo.env.uid

# Records, as lists and as objects.
partners = odoo.env["res.partner"]
one = partners.create({"name": "Made by OdooRPC", "is_company": True, "email": "odoorpc@example.com"})
assert isinstance(one, int), one
assert partners.search([("email", "=", "odoorpc@example.com")]) == [one]
partner = partners.browse(one)
assert partner.name == "Made by OdooRPC" and partner.is_company is True and partner.parent_id.id is None
partner.city = "Ghent"  # written at once
assert partners.read([one], ["city"]) == [{"id": one, "city": "Ghent"}]
child = partners.create({"name": "Contact", "parent_id": one})
assert partners.browse(child).parent_id.id == one
assert [c.id for c in partners.browse(one).child_ids] == [child]
assert partners.search_count([("id", "in", [one, child])]) == 2
assert [one, "Made by OdooRPC"] in partners.name_search("Made by OdooRPC")

# A business method, and values of every type.
product = odoo.env["product.template"].create({"name": "Lamp", "list_price": 12.5, "type": "service"})
[variant] = odoo.env["product.product"].search([("product_tmpl_id", "=", product)])
order_id = odoo.env["sale.order"].create(
    {"partner_id": one, "order_line": [(0, 0, {"product_id": variant, "product_uom_qty": 2})]}
)
order = odoo.env["sale.order"].browse(order_id)
assert order.state == "draft" and order.amount_untaxed == 25.0 and isinstance(order.amount_untaxed, float)
assert order.date_order.year > 2000, order.date_order
order.action_confirm()
assert odoo.execute("sale.order", "read", [order_id], ["state"])[0]["state"] == "sale"
assert odoo.execute_kw("sale.order", "search_count", [[("id", "=", order_id)]], {"context": {"lang": "en_US"}}) == 1

# Errors, each in its own words.
def refused(what, call):
    try:
        call()
    except odoorpc.error.RPCError as e:
        assert e.info["data"]["name"] == what, e.info
        assert "Traceback" not in e.info["data"]["debug"]
        return
    raise AssertionError("not refused: " + what)

refused("odoo.exceptions.MissingError", lambda: partners.write([987654], {"name": "x"}))
refused("odoo.exceptions.AccessError", lambda: odoo.execute("res.partner", "_search", []))
refused("builtins.AttributeError", lambda: odoo.execute("res.partner", "no_such_method", [one]))
refused("odoo.exceptions.UserError", lambda: odoo.execute("no.such.model", "search", []))
refused("builtins.ValueError", lambda: partners.search([("no_such_field", "=", 1)]))

contact = partners.create({"name": "To be deleted"})
assert partners.unlink([contact]) is True
assert partners.search([("id", "=", contact)]) == []

# Somebody else, with his own rights.
other = odoorpc.ODOO(env["GATEHOUSE_HOST"], port=int(env["GATEHOUSE_PORT"]))
refused("odoo.exceptions.AccessDenied", lambda: other.login("my_database", env["OTHER"], "wrong"))
other.login("my_database", env["OTHER"], env["OTHER_PASSWORD"])
refused("odoo.exceptions.AccessError", lambda: other.env["sale.order"].unlink([order_id]))
assert odoo.env.user.login == env["LOGIN"], "the two sessions are mixed up"
assert other.logout() is True
assert odoo.logout() is True
