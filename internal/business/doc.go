// Package business holds the built-in models of the embedded database: their
// declarations, their logic, the data of the first start and the demo data.
// Names, labels, rights and record rules are Odoo 19's, so that what a caller
// learns here holds against a real Odoo.
package business
