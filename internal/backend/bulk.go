package backend

import (
	"context"

	"gatehouse/internal/fault"
)

// BulkQuery says which records a bulk change is about: all that the caller
// finds by the domain.
type BulkQuery struct {
	Model      string
	DomainText string // as the caller wrote it
	// Most is how many records may be changed; TooManyAffected if there are more.
	Most int
}

// Bulk is what a Backend may be able to do besides: to find and to change
// records in one transaction. Both give the ids of the changed records.
type Bulk interface {
	WriteAll(ctx context.Context, c *Caller, q *BulkQuery, values Values) ([]int64, error)
	UnlinkAll(ctx context.Context, c *Caller, q *BulkQuery) ([]int64, error)
}

// TooManyAffected refuses a bulk change of more records than were meant.
func TooManyAffected(found int64, most int) error {
	return fault.Newf(fault.Unprocessable, "The domain finds %d records, more than max_affected allows (%d): nothing was changed. Narrow it, or set max_affected",
		found, most).With(map[string]any{"affected": found, "max_affected": most})
}
