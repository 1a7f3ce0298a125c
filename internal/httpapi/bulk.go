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
	ids, err := backend.WriteAll(c.ctx, s.deps.Backend, c.caller, in.query, values)
	return affected(ids, "updated"), err
}

// deleteMatching deletes all records that the domain finds, or none.
func (s *Server) deleteMatching(c *call, in bulkInput) (reply, error) {
	ids, err := backend.UnlinkAll(c.ctx, s.deps.Backend, c.caller, in.query)
	return affected(ids, "deleted"), err
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
