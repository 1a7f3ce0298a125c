package httpapi

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/schema"
)

// createInput is a request to make records.
type createInput struct {
	model   string
	objects []map[string]any
	bulk    bool
	params
}

// writeInput is a request to change a record.
type writeInput struct {
	recordInput
	object map[string]any
}

func (s *Server) readCreate(c *call) (createInput, error) {
	objects, bulk, err := s.readObjects(c)
	return createInput{c.event.Model, objects, bulk, c.params}, err
}

func (s *Server) readWrite(c *call) (writeInput, error) {
	one, err := s.readOne(c)
	if err != nil {
		return writeInput{}, err
	}
	object, err := s.readObject(c)
	return writeInput{one, object}, err
}

// reader reads the values of records on behalf of the caller.
func (s *Server) reader(c *call) *wire.Reader {
	return &wire.Reader{Comodel: func(name string) (*schema.Model, error) {
		return s.deps.Backend.Model(c.ctx, c.caller, name)
	}}
}

// target is the model that a request writes. What the answer is to show is
// looked at too: nothing is written only to find that it cannot be shown.
func (s *Server) target(c *call, model string, fields []string) (*schema.Model, error) {
	m, err := s.deps.Backend.Model(c.ctx, c.caller, model)
	if err != nil {
		return nil, err
	}
	if err := c.mayReadBack(m, fields); err != nil {
		return nil, err
	}
	_, err = s.tree(c, model, fields)
	return m, err
}

// createRecords makes one record, or several in one transaction.
func (s *Server) createRecords(c *call, in createInput) (reply, error) {
	m, err := s.target(c, in.model, in.fields)
	if err != nil {
		return reply{}, err
	}
	reader := s.reader(c)
	values := make([]backend.Values, len(in.objects))
	for i, object := range in.objects {
		at := ""
		if in.bulk {
			at = wire.Element("", i) + "."
		}
		values[i] = reader.Record(m, object, at)
	}
	if err := reader.Err(); err != nil {
		return reply{}, err
	}
	created, err := s.deps.Backend.Create(c.ctx, c.caller, in.model, values)
	if err != nil {
		return reply{}, err
	}
	if in.bulk {
		return s.manyCreated(c, &in, created)
	}
	return s.oneCreated(c, &in, created)
}

func (s *Server) oneCreated(c *call, in *createInput, created *backend.Created) (reply, error) {
	id, once := created.IDs[0], onceOf(created, 0)
	raw := appendID(nil, id, once)
	if in.fields != nil {
		row, err := s.readBack(c, in.model, id, in.fields, in.shape, besides(once, in.fields))
		if err != nil && !s.unreadable(c, err) {
			return reply{}, err
		}
		if err == nil {
			raw = row
		}
	}
	return reply{
		raw: raw, message: "Record created successfully", created: true, secret: len(once) > 0,
		location: strings.TrimSuffix(c.r.URL.Path, uploadPath) + "/" + strconv.FormatInt(id, 10), // some models have two paths
	}, nil
}

func (s *Server) manyCreated(c *call, in *createInput, created *backend.Created) (reply, error) {
	r := reply{
		message: strconv.Itoa(len(created.IDs)) + " records created successfully", created: true, secret: len(created.Once) > 0,
	}
	if in.fields != nil {
		tree, err := s.tree(c, in.model, in.fields)
		if err == nil && tree == nil {
			tree = &branch{fields: in.fields}
		}
		if err == nil {
			_, err = s.load(c, &backend.Query{Model: in.model, IDs: created.IDs}, tree)
		}
		if err == nil {
			r.raw, err = s.inOrder(c, in, created, tree)
		}
		if err == nil || !s.unreadable(c, err) {
			return r, err
		}
	}
	r.raw = appendIDList(nil, created)
	return r, nil
}

// inOrder writes records in the order in which they were sent.
func (s *Server) inOrder(c *call, in *createInput, created *backend.Created, found *branch) ([]byte, error) {
	place := make(map[int64]int, len(found.page.Rows))
	for i, id := range found.page.IDs() {
		place[id] = i
	}
	rows := c.recordRows(in.shape, false)
	rows.Extra = func(dst []byte, i int) []byte { return appendSecrets(dst, besides(onceOf(created, i), in.fields)) }
	if err := found.open(rows); err != nil {
		return nil, err
	}
	for _, id := range created.IDs {
		at, ok := place[id]
		if !ok {
			return nil, notFoundf("Record %d does not exist", id)
		}
		if err := rows.Row(found.page.Rows[at]); err != nil {
			return nil, err
		}
	}
	return rows.JSON(), nil
}

// writeRecord changes the given fields of a record.
func (s *Server) writeRecord(c *call, in writeInput) (reply, error) {
	m, err := s.target(c, in.model, in.fields)
	if err != nil {
		return reply{}, err
	}
	reader := s.reader(c)
	values := reader.Record(m, in.object, "")
	if err := reader.Err(); err != nil {
		return reply{}, err
	}
	if err := s.deps.Backend.Write(c.ctx, c.caller, in.model, []int64{in.id}, values); err != nil {
		return reply{}, err
	}
	r := reply{raw: appendID(nil, in.id, nil), message: "Record updated successfully"}
	if in.fields != nil {
		row, err := s.readBack(c, in.model, in.id, in.fields, in.shape, nil)
		if err != nil && !s.unreadable(c, err) {
			return reply{}, err
		}
		if err == nil {
			r.raw = row
		}
	}
	return r, nil
}

// unreadable says that a record which was just written cannot be read by the
// caller. The change is made, so the answer is its id, not an error; where there
// is a transaction, that is so only if he may not.
func (s *Server) unreadable(c *call, err error) bool {
	return s.atomic(c) == nil || fault.Is(err, fault.Forbidden) || fault.Is(err, fault.NotFound)
}

// knownFields finds names that the model does not have, or does not show.
func knownFields(m *schema.Model, names []string) error {
	for _, name := range names {
		first, _, _ := strings.Cut(name, ".")
		if f := m.Field(first); f == nil || f.Secret {
			var unknown wire.Problems
			unknown.Unknown(name, m.NearestField(first))
			return unknown.Err()
		}
	}
	return nil
}

// onceOf gives the one-time secrets of a new record.
func onceOf(created *backend.Created, i int) map[string]string {
	if i < len(created.Once) {
		return created.Once[i]
	}
	return nil
}

// besides leaves out of the one-time values those that are shown as fields.
func besides(once map[string]string, fields []string) map[string]string {
	once = maps.Clone(once)
	for _, name := range fields {
		delete(once, name)
	}
	return once
}

// appendID writes a record of which only the id is told, and its secrets.
func appendID(dst []byte, id int64, once map[string]string) []byte {
	dst = strconv.AppendInt(append(dst, `{"id":`...), id, 10)
	return append(appendSecrets(dst, once), '}')
}

// appendIDList is appendID for all records of a bulk create.
func appendIDList(dst []byte, created *backend.Created) []byte {
	dst = append(dst, '[')
	for i, id := range created.IDs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendID(dst, id, onceOf(created, i))
	}
	return append(dst, ']')
}

// appendSecrets writes one-time secrets as more members of an object.
func appendSecrets(dst []byte, once map[string]string) []byte {
	for _, name := range slices.Sorted(maps.Keys(once)) {
		dst = append(wire.AppendString(append(dst, ','), name), ':')
		dst = wire.AppendString(dst, once[name])
	}
	return dst
}
