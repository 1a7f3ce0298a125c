// Package e2e tests the built binary from outside, as its users meet it: the
// command line, HTTP, signals, and the commands of the documents. Everything
// runs in temporary folders, on SQLite and on databases of its own on
// PostgreSQL. `make e2e` runs it; the build tag keeps it out of `make test`.
package e2e
