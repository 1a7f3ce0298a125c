package odoocall

import (
	"slices"
	"testing"
)

func TestSizesInContext(t *testing.T) {
	c, err := readContext(map[string]any{"bin_size": true, "bin_size_b": int64(1), "bin_size_a": "x", "bin_size_c": false, "other": 1})
	if err != nil || !c.BinSize || !slices.Equal(c.BinSizes, []string{"a", "b"}) || !slices.Equal(c.Unknown, []string{"other"}) {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err = readContext(map[string]any{"bin_size": int64(0)}); err != nil || c.BinSize || len(c.Unknown) > 0 {
		t.Errorf("%+v, %v", c, err)
	}
}
