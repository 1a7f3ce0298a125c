package record

import (
	"slices"
	"testing"
)

func TestStatementKeepsNamedArguments(t *testing.T) {
	c := &compiler{args: []any{"a", "b", "c"}}
	s := c.statement(`select '$1' || "x$2" from t where y = $3 and z = $1 and y <> $3 limit $0`)
	if want := `select '$1' || "x$2" from t where y = $1 and z = $2 and y <> $1 limit $3`; s.sql != want {
		t.Errorf("got  %s\nwant %s", s.sql, want)
	}
	if !slices.Equal(s.with("l"), []any{"c", "a", "l"}) {
		t.Errorf("args %v", s.args)
	}
}
