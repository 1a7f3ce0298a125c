// Package odoorpc talks to a real Odoo over its external APIs: JSON-2 (from
// Odoo 19 on), JSON-RPC and XML-RPC, and the web client's session. Which of
// them, it finds out by itself.
package odoorpc

import "net/netip"

// Account is a user of the Odoo with what proves who he is: an API key, a
// password, or a web session that was begun before. It is not changed while
// calls are made with it.
type Account struct {
	UID      int64  // 0: not known; JSON-2 and web sessions can do without
	Login    string // "" where only a key is known
	Secret   string // API key or password; "" where there is only a session
	Password bool   // Secret is a password: a web session can be begun with it
	Session  *Session
}

// Request is a call of a model's method.
type Request struct {
	Model, Method string
	// IDs are the records that the method is called on; nil for one of the model.
	IDs []int64
	// Args are further arguments by position. JSON-2 has none, so that such calls
	// go another way.
	Args []any
	// Kwargs are arguments by name, the context among them.
	Kwargs map[string]any
	// Reads says that the call changes nothing: it may be made again after a lost
	// connection, and share an answer with one that is the same.
	Reads bool
	// For is who the call is made for: the queue is fair among them.
	For string
	// From is the address of who asked, which the Odoo is told where it is to
	// know it (Options.ForwardAddress).
	From netip.Addr
}

// Login is what a password opened.
type Login struct {
	UID         int64
	Login, Name string
	Session     *Session
}

// Version is that of the Odoo.
type Version struct {
	Major int    // 19; saas~18.2 is 18
	Text  string // as Odoo tells it
}
