package backend

import (
	"context"
	"time"
)

// ChangesQuery asks what has happened to the records of a model.
type ChangesQuery struct {
	Model string
	// DomainText narrows to records that it finds; "" is all.
	DomainText string
	// Since is the Next of an earlier answer for the model; "" asks for the place
	// of now, and no changes.
	Since string
	Limit int // records at most, over 0
}

// Change is what happened to a record, several changes being one.
type Change struct {
	ID int64
	// Action is "created", "updated" or "deleted": also said of a record that
	// the domain finds no more.
	Action string
	At     time.Time // of the latest change
}

// ChangeList is the answer to a ChangesQuery.
type ChangeList struct {
	Changes []Change // in the order in which they were committed
	Next    string   // the Since to go on with
	More    bool     // there are more already
}

// ChangeLog is what a Backend may be able to do besides: to tell changes in such a
// way that whoever asks again and again misses none. A Since that is older than
// what is remembered is fault.Gone.
type ChangeLog interface {
	Changes(ctx context.Context, c *Caller, q *ChangesQuery) (*ChangeList, error)
}
