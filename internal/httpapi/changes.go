package httpapi

import (
	"strconv"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
)

func (s *Server) readChanges(c *call) (*backend.ChangesQuery, error) {
	q := &backend.ChangesQuery{Model: c.event.Model, DomainText: c.params.domain, Limit: c.params.limit}
	for _, f := range c.params.filters {
		if f.name == "since" {
			q.Since = f.value
		}
	}
	if q.Limit <= 0 {
		q.Limit = defaultMaxAffected // where the settings know no maximum
	}
	return q, nil
}

// changes answers what has happened since a cursor.
func (s *Server) changes(c *call, q *backend.ChangesQuery) (reply, error) {
	log, ok := s.deps.Backend.(backend.ChangeLog)
	if !ok {
		return reply{}, fault.New(fault.Unprocessable, "The data source does not record changes: ask for write_date instead")
	}
	list, err := log.Changes(c.ctx, c.caller, q)
	if err != nil {
		return reply{}, err
	}
	out := []byte{'['}
	for i := range list.Changes {
		if i > 0 {
			out = append(out, ',')
		}
		change := &list.Changes[i]
		at := backend.DatetimeValue(change.At)
		out = strconv.AppendInt(append(out, `{"id":`...), change.ID, 10)
		out = wire.AppendString(append(out, `,"action":`...), change.Action)
		out = append(wire.AppendValue(append(out, `,"at":`...), wire.Plain, nil, &at), '}')
	}
	return reply{raw: append(out, ']'), meta: &meta{more: map[string]any{
		"next_cursor": list.Next, "more": list.More, "limit": q.Limit, "count": len(list.Changes),
	}}}, nil
}
