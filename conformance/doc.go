// Command conformance compares the engine with answers recorded from a real
// Odoo 19: a folder with a dump of its database, reads and writes with their
// results. Reads run on the dump itself, as the users of the recording; writes
// run on the embedded database, filled from the dump. For each case it says
// whether the engine gave the same answer, said that it can't prove to give it,
// or gave a wrong one.
package main
