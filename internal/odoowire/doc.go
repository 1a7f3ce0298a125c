// Package odoowire is the text of Odoo's own protocols: XML-RPC, JSON-RPC and
// JSON-2, calls and answers, and the errors as each of them tells them. It has
// no idea of records, and does no I/O.
package odoowire
