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

// WriteAll changes all records that a query finds: in one transaction where the
// backend can, else those that it finds first.
func WriteAll(ctx context.Context, b Backend, c *Caller, q *BulkQuery, values Values) ([]int64, error) {
	if bulk, ok := b.(Bulk); ok {
		return bulk.WriteAll(ctx, c, q, values)
	}
	ids, err := matching(ctx, b, c, q)
	if err == nil && len(ids) > 0 {
		err = b.Write(ctx, c, q.Model, ids, values)
	}
	return ids, err
}

// UnlinkAll is WriteAll for deletions.
func UnlinkAll(ctx context.Context, b Backend, c *Caller, q *BulkQuery) ([]int64, error) {
	if bulk, ok := b.(Bulk); ok {
		return bulk.UnlinkAll(ctx, c, q)
	}
	ids, err := matching(ctx, b, c, q)
	if err == nil && len(ids) > 0 {
		err = b.Unlink(ctx, c, q.Model, ids)
	}
	return ids, err
}

func matching(ctx context.Context, b Backend, c *Caller, q *BulkQuery) ([]int64, error) {
	found := &Page{}
	total, err := b.Search(ctx, c, &Query{
		Model: q.Model, DomainText: q.DomainText, Fields: []string{"id"}, Order: "id", Limit: q.Most + 1, Count: true,
	}, found)
	if err == nil && len(found.Rows) > q.Most {
		err = TooManyAffected(total, q.Most)
	}
	return found.IDs(), err
}

// TooManyAffected refuses a bulk change of more records than were meant.
func TooManyAffected(found int64, most int) error {
	return fault.Newf(fault.Unprocessable, "The domain finds %d records, more than max_affected allows (%d): nothing was changed. Narrow it, or set max_affected",
		found, most).With(map[string]any{"affected": found, "max_affected": most})
}
