package sqldb

import (
	"time"
)

// largeArgument is how many bytes of arguments a statement may keep after it ran.
const largeArgument = 64 << 10

// bind gives every parameter its argument; large says that much memory is held.
func (st *sqliteStmt) bind(args []any) (large bool, err error) {
	size := 0
	for i, n := range st.args {
		bytes, err := st.bindOne(i+1, args[n])
		if err != nil {
			return false, err
		}
		size += bytes
	}
	return size > largeArgument, nil
}

// bindOne gives the size of what SQLite now holds a copy of.
func (st *sqliteStmt) bindOne(param int, arg any) (size int, err error) {
	s := st.stmt
	switch v := arg.(type) {
	case nil:
		s.BindNull(param)
	case bool:
		s.BindBool(param, v)
	case int:
		s.BindInt64(param, int64(v))
	case int64:
		s.BindInt64(param, v)
	case float64:
		s.BindFloat(param, v)
		return 0, checkFloat(v)
	case string:
		s.BindText(param, v)
		return len(v), checkText(v)
	case []byte:
		if v == nil {
			s.BindNull(param)
			break
		}
		s.BindBytes(param, v)
		return len(v), nil
	case time.Time:
		s.BindText(param, string(appendTimestamp(nil, v.UTC())))
		return 0, checkTime(v)
	case []int64:
		list := appendIntList(make([]byte, 0, 8*len(v)+2), v, '[', ']')
		s.BindText(param, string(list))
		return len(list), nil
	case []string:
		list := appendJSONList(nil, v)
		s.BindText(param, string(list))
		return len(list), checkTexts(v)
	default:
		return 0, argTypeError(arg)
	}
	return 0, nil
}
