package httpapi

import (
	"math"
	"strconv"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
)

// recordInput is a request about one record.
type recordInput struct {
	model string
	id    int64
	params
}

// listInput is a request for a list.
type listInput struct {
	model string
	only  domain.Node // what the route narrows the list to, or nil
	params
}

// recordID reads the id in the path.
func (c *call) recordID() (int64, error) {
	text := c.r.PathValue("id")
	id, err := strconv.ParseUint(text, 10, 64)
	if err != nil || id == 0 || id > math.MaxInt32 {
		const what = "must be a whole number from 1 to 2147483647"
		return 0, fault.Newf(fault.BadRequest, "Invalid id %s: it %s", wire.Quote(text), what).
			With(fault.FieldErrors{"id": what})
	}
	return int64(id), nil
}

func (s *Server) readList(c *call) (listInput, error) {
	return listInput{model: c.event.Model, params: c.params}, nil
}

func (s *Server) readOne(c *call) (recordInput, error) {
	id, err := c.recordID()
	return recordInput{c.event.Model, id, c.params}, err
}

// listRecords answers a page of the records that match.
func (s *Server) listRecords(c *call, in listInput) (reply, error) {
	tree, err := s.tree(c, in.model, in.fields)
	if err != nil {
		return reply{}, err
	}
	if form := c.accepted(); form != asJSON {
		return s.streamRecords(c, &in, tree, form)
	}
	rows, keyset := c.recordRows(in.shape, false), backend.Keyset{After: in.cursor, Wanted: in.following}
	total, err := s.find(c, &backend.Query{
		Model: in.model, DomainText: in.domain, Domain: in.only, Fields: in.fields,
		Order: in.order, Limit: in.limit, Offset: in.offset, Count: !in.uncounted, Keyset: &keyset,
	}, tree, rows)
	if err != nil {
		return reply{}, err
	}
	return reply{raw: rows.JSON(), meta: in.pageMeta(total, rows.Len(), keyset.Next)}, nil
}

// pageMeta describes the part of a list that was answered.
func (p *params) pageMeta(total int64, count int, next string) *meta {
	if p.uncounted {
		total = -1
	}
	return &meta{page: &page{
		total: total, limit: p.limit, offset: p.offset, count: count, number: p.number, size: p.size, next: next,
	}}
}

// getRecord answers one record.
func (s *Server) getRecord(c *call, in recordInput) (reply, error) {
	tree, err := s.tree(c, in.model, in.fields)
	if err != nil {
		return reply{}, err
	}
	rows := c.recordRows(in.shape, true)
	if _, err := s.find(c, &backend.Query{
		Model: in.model, IDs: []int64{in.id}, Fields: in.fields, Version: true,
	}, tree, rows); err != nil {
		return reply{}, err
	}
	if rows.Len() != 1 {
		return reply{}, notFoundf("Record %s(%d) does not exist", in.model, in.id)
	}
	return reply{raw: rows.JSON(), tagged: true, version: c.stamp.version}, nil
}

// readBack reads one record as JSON; once holds secrets to add to it.
func (s *Server) readBack(c *call, model string, id int64, fields []string, shape wire.Shape, once map[string]string) ([]byte, error) {
	tree, err := s.tree(c, model, fields)
	if err != nil {
		return nil, err
	}
	rows := c.recordRows(shape, true)
	if len(once) > 0 {
		rows.Extra = func(dst []byte, _ int) []byte { return appendSecrets(dst, once) }
	}
	if _, err := s.find(c, &backend.Query{
		Model: model, IDs: []int64{id}, Fields: fields,
	}, tree, rows); err != nil {
		return nil, err
	}
	if rows.Len() != 1 {
		return nil, notFoundf("Record %s(%d) does not exist", model, id)
	}
	return rows.JSON(), nil
}

// deleteRecord deletes one record.
func (s *Server) deleteRecord(c *call, in recordInput) (reply, error) {
	if err := s.deps.Backend.Unlink(c.ctx, c.caller, in.model, []int64{in.id}); err != nil {
		return reply{}, err
	}
	return reply{raw: appendID(nil, in.id, nil), message: "Record deleted successfully"}, nil
}
