package sqldb

import (
	"bytes"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
)

// The functions that SQLiteDialect's SQL calls, one set per connection: a
// connection runs on one goroutine at a time, so each may remember its last
// pattern or time zone without a lock.

func (c *sqliteConn) registerFunctions() error {
	zones := &zoneCache{zones: map[string]*time.Location{"": time.UTC}}
	functions := map[string]*sqlite.FunctionImpl{
		"gh_like":       {NArgs: 2, Deterministic: true, Scalar: c.likeFunction(false)},
		"gh_ilike":      {NArgs: 2, Deterministic: true, Scalar: c.likeFunction(true)},
		"gh_date_part":  {NArgs: 3, Deterministic: true, Scalar: c.datePartFunction(zones)},
		"gh_date_trunc": {NArgs: 4, Deterministic: true, Scalar: c.dateTruncFunction(zones)},
		"gh_float_text": {NArgs: 1, Deterministic: true, Scalar: floatTextFunction},
		"gh_now":        {NArgs: 0, Scalar: c.nowFunction},

		"gh_json_order":    {NArgs: 1, Deterministic: true, Scalar: c.jsonFunction(jsonOrderValue)},
		"gh_json_plain":    {NArgs: 1, Deterministic: true, Scalar: c.jsonFunction(jsonPlainValue)},
		"gh_json_contains": {NArgs: 2, Deterministic: true, Scalar: c.jsonFunction(jsonContainsValue)},
	}
	for name, impl := range functions {
		if err := c.conn.CreateFunction(name, impl); err != nil {
			return err
		}
	}
	return nil
}

// scalar is the shape of SQLite functions. Value.Blob gives the text in
// SQLite's own memory: it may be read until the function returns.
type scalar = func(sqlite.Context, []sqlite.Value) (sqlite.Value, error)

// fail is how a function returns an error: as NULL, with the error left for
// the statement to find, because the driver makes text of errors.
func (c *sqliteConn) fail(err error) (sqlite.Value, error) {
	c.problem = err
	return sqlite.Value{}, nil
}

func isNull(v sqlite.Value) bool { return v.Type() == sqlite.TypeNull }

func boolValue(b bool) sqlite.Value {
	if b {
		return sqlite.IntegerValue(1)
	}
	return sqlite.IntegerValue(0)
}

func (c *sqliteConn) likeFunction(fold bool) scalar {
	var m *likeMatcher
	return func(_ sqlite.Context, args []sqlite.Value) (sqlite.Value, error) {
		if isNull(args[0]) || isNull(args[1]) {
			return sqlite.Value{}, nil
		}
		if pattern := args[1].Blob(); m == nil || !bytes.Equal(pattern, m.pattern) {
			compiled, err := compileLike(pattern, fold)
			if err != nil {
				return c.fail(err)
			}
			m = compiled
		}
		return boolValue(m.match(args[0].Blob())), nil
	}
}

// zoneCache finds time zones by name: loading one reads and parses a file.
type zoneCache struct {
	zones    map[string]*time.Location
	lastName []byte
	last     *time.Location
}

func (z *zoneCache) get(name []byte) (*time.Location, error) {
	if z.last != nil && bytes.Equal(name, z.lastName) {
		return z.last, nil
	}
	zone := z.zones[string(name)]
	if zone == nil {
		var err error
		// "Local" would be the zone of this machine; no database knows it
		if zone, err = time.LoadLocation(string(name)); err != nil || string(name) == "Local" {
			return nil, of(ErrBadValue, fmt.Errorf("time zone %q", name))
		}
		z.zones[string(name)] = zone
	}
	z.lastName, z.last = bytes.Clone(name), zone
	return zone, nil
}

// localTime reads a date or timestamp column; not ok for NULL and nonsense.
func (z *zoneCache) localTime(value, zone sqlite.Value) (t time.Time, ok bool, err error) {
	if isNull(value) {
		return time.Time{}, false, nil
	}
	location, err := z.get(zone.Blob())
	if err != nil {
		return time.Time{}, false, err
	}
	t, ok = parseTime(value.Blob())
	return t.In(location), ok, nil
}

func (c *sqliteConn) datePartFunction(zones *zoneCache) scalar {
	return func(_ sqlite.Context, args []sqlite.Value) (sqlite.Value, error) {
		t, ok, err := zones.localTime(args[1], args[2])
		if err != nil {
			return c.fail(err)
		}
		if !ok {
			return sqlite.Value{}, nil
		}
		return sqlite.IntegerValue(datePart(args[0].Text(), t)), nil
	}
}

func (c *sqliteConn) dateTruncFunction(zones *zoneCache) scalar {
	return func(_ sqlite.Context, args []sqlite.Value) (sqlite.Value, error) {
		t, ok, err := zones.localTime(args[1], args[2])
		if err != nil {
			return c.fail(err)
		}
		if !ok {
			return sqlite.Value{}, nil
		}
		t = dateTrunc(args[0].Text(), t, args[3].Int())
		return sqlite.TextValue(string(appendTimestamp(nil, t))), nil
	}
}

func floatTextFunction(_ sqlite.Context, args []sqlite.Value) (sqlite.Value, error) {
	if isNull(args[0]) {
		return sqlite.Value{}, nil
	}
	return sqlite.TextValue(string(appendFloat(nil, args[0].Float(), 64))), nil
}

// nowFunction gives the same moment for all rows of a statement.
func (c *sqliteConn) nowFunction(sqlite.Context, []sqlite.Value) (sqlite.Value, error) {
	if c.now == "" {
		c.now = string(appendTimestamp(nil, time.Now().UTC()))
	}
	return sqlite.TextValue(c.now), nil
}

// jsonFunction makes a function of JSON texts, NULL where one is NULL.
func (c *sqliteConn) jsonFunction(convert func(values []any) sqlite.Value) scalar {
	return func(_ sqlite.Context, args []sqlite.Value) (sqlite.Value, error) {
		values := make([]any, len(args))
		for i, a := range args {
			if isNull(a) {
				return sqlite.Value{}, nil
			}
			var err error
			if values[i], err = parseJSON(a.Blob()); err != nil {
				return c.fail(err)
			}
		}
		return convert(values), nil
	}
}

func jsonOrderValue(values []any) sqlite.Value { return sqlite.BlobValue(jsonOrder(values[0])) }

func jsonPlainValue(values []any) sqlite.Value {
	switch v := values[0].(type) {
	case nil:
		return sqlite.Value{}
	case string:
		return sqlite.TextValue(v)
	default:
		return sqlite.TextValue(string(appendJSONB(nil, v)))
	}
}

func jsonContainsValue(values []any) sqlite.Value {
	return boolValue(jsonContains(values[0], values[1]))
}
