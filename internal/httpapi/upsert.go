package httpapi

import (
	"strconv"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/identity"
	"gatehouse/internal/schema"
)

// upsertRoutes is the route that creates or updates by a key.
func (s *Server) upsertRoutes() []Route {
	return []Route{{
		Method: "PUT", Pattern: universalPrefix, Access: Scoped, Action: identity.Write, Limiting: Counted,
		Params: append([]Param{{
			"key", "string", "The field that records are found by, such as default_code, or external_id for external ids like shop.customer_7.",
		}}, contextParams()...),
		handler: with(s.readUpsert, s.upsertRecords),
		Summary: "Creates or updates records by a key, all in one transaction",
		Input:   "an object of fields, or a list of them, each with the key",
		Output:  `a list of {"id": 7, "action": "created"} or "updated"`,
		Doc: Doc{
			ID: "upsertRecords", Tag: TagRecords, Body: oneOrSeveral(SchemaCreate),
			Data: wire.ListOf(wire.Object(wire.Must("id", wire.RecordID("")), wire.Must("action", wire.Word("", "created", "updated"))), ""),
		},
	}}
}

func (s *Server) readUpsert(c *call) (createInput, error) {
	if c.params.key == "" {
		return createInput{}, fault.New(fault.BadRequest,
			"Missing parameter key: the field that records are found by, as in ?key=default_code, or external_id").
			With(fault.FieldErrors{"key": "is missing"})
	}
	return s.readCreate(c)
}

// upsertRecords updates the records that are found by the key and creates the
// others.
func (s *Server) upsertRecords(c *call, in createInput) (reply, error) {
	upserter, ok := s.deps.Backend.(backend.Upserter)
	if !ok {
		return reply{}, fault.New(fault.BadRequest, "This data source cannot create or update by a key")
	}
	m, err := s.target(c, in.model, nil)
	if err != nil {
		return reply{}, err
	}
	key := in.key
	if key == "id" { // as in Odoo's load
		key = backend.ExternalID
	}
	values, err := s.keyedValues(c, m, &in, key)
	if err != nil {
		return reply{}, err
	}
	done, err := upserter.Upsert(c.ctx, c.caller, in.model, key, values)
	if err != nil {
		return reply{}, err
	}
	created := 0
	data := make([]upserted, len(done))
	for i, one := range done {
		data[i] = upserted{one.ID, "updated"}
		if one.Created {
			data[i].Action = "created"
			created++
		}
	}
	return reply{
		data: data, message: strconv.Itoa(created) + " records created, " + strconv.Itoa(len(done)-created) + " updated",
	}, nil
}

type upserted struct {
	ID     int64  `json:"id"`
	Action string `json:"action"`
}

// keyedValues reads the objects. External ids are no field of the model.
func (s *Server) keyedValues(c *call, m *schema.Model, in *createInput, key string) ([]backend.Values, error) {
	reader := s.reader(c)
	values := make([]backend.Values, len(in.objects))
	for i, object := range in.objects {
		at := ""
		if in.bulk {
			at = wire.Element("", i) + "."
		}
		id, given := object[in.key]
		if key == backend.ExternalID {
			delete(object, in.key)
		}
		values[i] = reader.Record(m, object, at)
		if key != backend.ExternalID {
			continue
		}
		if given {
			object[in.key] = id // the handler may run again
		}
		if values[i] != nil {
			values[i][key] = id
		}
	}
	return values, reader.Err()
}
