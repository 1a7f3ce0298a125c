package record

import (
	"context"

	"gatehouse/internal/backend"
)

// Values are fields by name. Inside the engine they hold Go values: nil, bool,
// int64, float64, string (dates "2006-01-02" and moments "2006-01-02 15:04:05",
// UTC), int64 or nil for many2one, []Command or []int64 for x2many.
type Values = backend.Values

// Logic is what a model does beyond storing values. The engine calls it at
// fixed places; every function runs inside the transaction of the change.
// Any of its functions may be nil.
type Logic struct {
	Model string
	// Ahead looks at the values of a create or write before its transaction
	// begins, for what would hold it up: another server that is to be asked. It
	// is for callers who may use Gatehouse's own models; nothing else is checked yet.
	Ahead func(ctx context.Context, values Values) error
	// Defaults gives values for fields that a create leaves out.
	Defaults map[string]func(e *Env) (any, error)
	// Prepare looks at the values of one record to be made, after the
	// defaults, and may change them: fill what follows from others.
	Prepare func(e *Env, values Values) error
	// AfterCreate runs when the records, their lines and computed fields are stored.
	AfterCreate func(e *Env, recs []Rec) error
	// BeforeWrite may refuse or change what is about to be written.
	BeforeWrite func(e *Env, recs []Rec, values Values) error
	// AfterWrite runs when the change and computed fields are stored.
	AfterWrite func(e *Env, recs []Rec, values Values) error
	// Own says that a change needs no right to write the model, because it is a
	// person's own record and his own business. It is made as superuser.
	Own func(e *Env, ids []int64, values Values) bool
	// BeforeUnlink may refuse a deletion or clean up what hangs on the records.
	BeforeUnlink func(e *Env, recs []Rec) error
	// AfterUnlink runs when the records are gone.
	AfterUnlink func(e *Env, ids []int64) error
	// BeforeCopy changes the values that a copy of a record gets.
	BeforeCopy func(e *Env, original Rec, values Values) error
	// Computes fill stored fields.
	Computes []Compute
	// Checks are constraints beyond SQL, checked at the end of a create or write.
	Checks []Constraint
	// Methods are the public business methods, by name.
	Methods map[string]Method
}

// Compute fills stored fields of a record from others.
type Compute struct {
	Fields []string
	// Depends are dotted paths from the record; a change of any of them, also
	// of the links on the way, runs Do again.
	Depends []string
	// Early computes are run before the record is inserted, which saves an
	// update. They must not look at x2many fields or at the id; for a link to the
	// record itself they return SelfID.
	Early bool
	// Editable computes leave a value alone that the caller gave on create.
	Editable bool
	Do       func(e *Env, r Rec) (Values, error)
}

// selfID is the type of SelfID.
type selfID struct{}

// SelfID is the value of a many2one, computed early, that points at the record
// which is being made.
var SelfID = selfID{}

// Constraint refuses records that break a rule, with a fault whose message the
// caller reads.
type Constraint struct {
	Fields []string // checked when one of these is written; empty: always
	Check  func(e *Env, r Rec) error
}

// Method is a public business method.
type Method struct {
	// OnModel methods take no records.
	OnModel bool
	// ReadOnly methods need only the right to read; others the right to write.
	ReadOnly bool
	// MayBeEmpty methods do nothing on no records; Odoo lets callers ask for that.
	MayBeEmpty bool
	Doc        string
	// Do gets the records (readable for the caller) and the arguments by name.
	// Its result is anything that encodes to JSON.
	Do func(e *Env, recs []Rec, args Values) (any, error)
}

// CommandKind is the first element of an x2many command of Odoo.
type CommandKind int

// The commands of Odoo, by their number.
const (
	CreateLine CommandKind = iota // make a record from Values
	UpdateLine                    // write Values on ID
	DeleteLine                    // unlink ID
	UnlinkLine                    // cut the link to ID
	LinkLine                      // link ID
	ClearLines                    // cut all links
	SetLines                      // replace the links by IDs
)

// Command is one x2many command.
type Command struct {
	Kind   CommandKind
	ID     int64
	IDs    []int64
	Values Values
}
