package record

import (
	"errors"
	"fmt"

	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// violation makes the caller's error of a constraint that the database refused.
func violation(m *schema.Model, err error) error {
	v, ok := errors.AsType[*sqldb.Violation](err)
	if !ok {
		return err
	}
	switch v.Kind {
	case sqldb.Unique:
		for _, u := range m.Uniques {
			if v.Constraint == m.Table+"_"+u.Name || sameColumns(v.Columns, u.Columns) {
				return fault.New(fault.Unprocessable, u.Message).With(fieldsOf(u.Columns, "must be unique")).Because(err)
			}
		}
		return fault.New(fault.Unprocessable, "A record with these values exists already").
			With(fieldsOf(v.Columns, "must be unique")).Because(err)
	case sqldb.NotNull:
		if len(v.Columns) == 1 {
			return missingField(v.Columns[0]).Because(err)
		}
	case sqldb.Check:
		for _, c := range m.Checks {
			if v.Constraint == m.Table+"_"+c.Name && c.Requires != "" {
				return missingField(c.Requires).Because(err)
			}
			if v.Constraint == m.Table+"_"+c.Name {
				return fault.New(fault.Unprocessable, c.Message).Because(err)
			}
		}
	case sqldb.ForeignKey:
		return fault.New(fault.Unprocessable, "A linked record does not exist, or a record is still used by another one").Because(err)
	}
	return fault.New(fault.Unprocessable, "The values break a rule of the model "+m.Name).Because(err)
}

func sameColumns(a, b []string) bool {
	return len(a) > 0 && fmt.Sprint(a) == fmt.Sprint(b)
}

func fieldsOf(columns []string, what string) fault.FieldErrors {
	details := fault.FieldErrors{}
	for _, c := range columns {
		details[c] = what
	}
	return details
}
