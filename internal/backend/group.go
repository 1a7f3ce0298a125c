package backend

import (
	"time"

	"gatehouse/internal/domain"
	"gatehouse/internal/schema"
)

// GroupQuery asks for groups of records and for figures about each of them.
type GroupQuery struct {
	Model string
	// DomainText is a domain as the caller wrote it; Domain one that is parsed
	// already. Both may be given; both must hold.
	DomainText string
	Domain     domain.Node
	// GroupBy names what the records of a group have in common: a field, or a
	// path to one through many2one fields, with a granularity after a colon for
	// days and moments ("partner_id.country_id", "date_order:month"). None: all
	// records are one group, even where there are none.
	GroupBy []string
	// Aggregates are the figures: "__count", or a field and a function
	// ("amount_total:sum").
	Aggregates []string
	// Having keeps groups of which it is true; paths of its leaves are aggregates.
	// Not, And and Or are those of SQL: what compares with nothing is unknown.
	Having domain.Node
	// Order has members of GroupBy and aggregates for terms; "" is by GroupBy.
	Order  string
	Limit  int // 0: none
	Offset int
	// Count asks for the number of groups without Limit and Offset.
	Count bool
}

// Groups is the answer to a GroupQuery.
type Groups struct {
	By         []GroupColumn
	Aggregates []GroupColumn
	Rows       []Group
	Total      int64 // the number of groups if GroupQuery.Count, else -1
	// Lang is the language to write the names of days and months in.
	Lang string
}

// GroupColumn describes a member of GroupBy or an aggregate.
type GroupColumn struct {
	Name string // as it was asked for
	// Path are the fields from the model to the one that counts; nil for "__count".
	Path []*schema.Field
	// Func is the granularity of a member of GroupBy, or an aggregate's function.
	Func string
}

// Field is the last one of the path; nil for "__count".
func (c *GroupColumn) Field() *schema.Field {
	if len(c.Path) == 0 {
		return nil
	}
	return c.Path[len(c.Path)-1]
}

// Group is one group: a key for each column of By, a value for each aggregate.
type Group struct {
	Keys   []GroupKey
	Values []Value
}

// GroupKey is what the records of a group have in common; Null where they have
// nothing. A record by its id, or a link to one, is a Ref.
type GroupKey struct {
	Value
	// From and To are the bounds of a period in UTC, To being the moment after
	// it. Its Value is the beginning as a clock of the caller's time zone shows
	// it.
	From, To time.Time
	// Shown and Where replace what else the value and the condition of the group
	// would be; nil for most. Where is a domain.
	Shown any
	Where []any
}
