package httpapi

import (
	"strconv"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
)

const (
	defaultMaxAffected = 1000
	largestMaxAffected = 100_000
)

// bulkInput is a request to change what a domain finds.
type bulkInput struct {
	query  *backend.BulkQuery
	object map[string]any // what to write
}

// readBulk refuses a request that does not say which records it means: what is
// forgotten must not become everything.
func (s *Server) readBulk(c *call) (bulkInput, error) {
	p := &c.params
	node, err := domain.Parse(p.domain, domain.Limits{})
	if p.domain == "" || err == nil && node == domain.Const(true) {
		return bulkInput{}, fault.New(fault.BadRequest, "Missing parameter domain: say which records are meant, e.g. domain=[('id','in',[1,2])]").
			With(fault.FieldErrors{"domain": "missing, or without a condition"})
	}
	most := p.maxAffected
	if most == 0 {
		most = defaultMaxAffected
	}
	return bulkInput{query: &backend.BulkQuery{Model: c.event.Model, DomainText: p.domain, Most: most}}, nil // a bad domain is told by the backend
}

func (s *Server) readBulkWrite(c *call) (bulkInput, error) {
	in, err := s.readBulk(c)
	if err != nil {
		return in, err
	}
	in.object, err = s.readObject(c)
	return in, err
}

// writeMatching changes all records that the domain finds, or none.
func (s *Server) writeMatching(c *call, in bulkInput) (reply, error) {
	m, err := s.deps.Backend.Model(c.ctx, c.caller, in.query.Model)
	if err != nil {
		return reply{}, err
	}
	reader := s.reader(c)
	values := reader.Record(m, in.object, "")
	if err := reader.Err(); err != nil {
		return reply{}, err
	}
	var ids []int64
	if bulk, ok := s.deps.Backend.(backend.Bulk); ok {
		ids, err = bulk.WriteAll(c.ctx, c.caller, in.query, values)
	} else if ids, err = s.matching(c, in.query); err == nil && len(ids) > 0 {
		err = s.deps.Backend.Write(c.ctx, c.caller, in.query.Model, ids, values)
	}
	return affected(ids, "updated"), err
}

// deleteMatching deletes all records that the domain finds, or none.
func (s *Server) deleteMatching(c *call, in bulkInput) (reply, error) {
	var ids []int64
	var err error
	if bulk, ok := s.deps.Backend.(backend.Bulk); ok {
		ids, err = bulk.UnlinkAll(c.ctx, c.caller, in.query)
	} else if ids, err = s.matching(c, in.query); err == nil && len(ids) > 0 {
		err = s.deps.Backend.Unlink(c.ctx, c.caller, in.query.Model, ids)
	}
	return affected(ids, "deleted"), err
}

// matching finds the records for a backend that cannot do so in the transaction
// of the change. That is one all the same.
func (s *Server) matching(c *call, q *backend.BulkQuery) ([]int64, error) {
	found := &backend.Page{}
	total, err := s.deps.Backend.Search(c.ctx, c.caller, &backend.Query{
		Model: q.Model, DomainText: q.DomainText, Fields: []string{"id"}, Order: "id", Limit: q.Most + 1, Count: true,
	}, found)
	if err == nil && len(found.Rows) > q.Most {
		err = backend.TooManyAffected(total, q.Most)
	}
	return found.IDs(), err
}

// affected tells which records were changed.
func affected(ids []int64, what string) reply {
	if ids == nil {
		ids = []int64{}
	}
	message := strconv.Itoa(len(ids)) + " records " + what + " successfully"
	if len(ids) == 1 {
		message = "1 record " + what + " successfully"
	}
	return reply{data: map[string]any{"ids": ids, "count": len(ids)}, message: message}
}
