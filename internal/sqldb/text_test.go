package sqldb

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFloatText(t *testing.T) {
	for _, c := range []struct {
		f    float64
		bits int
		want string
	}{
		{0, 64, "0"},
		{math.Copysign(0, -1), 64, "-0"},
		{100, 64, "100"},
		{0.1, 64, "0.1"},
		{1e14, 64, "100000000000000"},
		{1e15, 64, "1e+15"},
		{123456789012345678, 64, "1.2345678901234568e+17"},
		{1e-4, 64, "0.0001"},
		{1e-5, 64, "1e-05"},
		{1e5, 32, "100000"},
		{1e6, 32, "1e+06"},
		{1234567, 32, "1.234567e+06"},
		{math.Inf(-1), 64, "-Infinity"},
		{math.NaN(), 64, "NaN"},
	} {
		if got := string(appendFloat([]byte("x"), c.f, c.bits)); got != "x"+c.want {
			t.Errorf("%v: %s, want %s", c.f, got[1:], c.want)
		}
	}
}

func TestTimestampText(t *testing.T) {
	for _, want := range []string{
		"2024-01-01 00:00:00", "0044-03-15 23:59:59.5", "9999-12-31 23:59:59.999999", "2024-02-29 01:02:03.00004",
	} {
		at, ok := parseTime([]byte(want))
		if !ok {
			t.Errorf("%s: not read", want)
		}
		if got := string(appendTimestamp(nil, at)); got != want {
			t.Errorf("%s: %s", want, got)
		}
	}
}

func TestTimestampTextKeepsOrder(t *testing.T) {
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	var texts []string
	for _, micros := range []int{0, 1, 10, 99, 100, 450_000, 500_000, 500_001, 999_999, 1_000_000} {
		at := start.Add(time.Duration(micros) * time.Microsecond)
		texts = append(texts, string(appendTimestamp(nil, at)))
	}
	if !slices.IsSorted(texts) {
		t.Error(texts)
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"2024-01-02":                       "2024-01-02T00:00:00Z",
		" 2024-01-02 03:04 ":               "2024-01-02T03:04:00Z",
		"2024-01-02T03:04:05Z":             "2024-01-02T03:04:05Z",
		"2024-01-02 03:04:05.123456789":    "2024-01-02T03:04:05.123456789Z",
		"2024-01-02 03:04:05.1234567891":   "2024-01-02T03:04:05.123456789Z",
		"2024-01-02 03:04:05+02":           "2024-01-02T01:04:05Z",
		"2024-01-02 03:04:05.5-05:30":      "2024-01-02T08:34:05.5Z",
		"2024-01-02 24:00:00":              "2024-01-03T00:00:00Z",
		"2024-02-30":                       "",
		"2023-02-29":                       "",
		"2024-13-01":                       "",
		"2024-1-1":                         "",
		"2024-01-02x":                      "",
		"2024-01-02 3:04":                  "",
		"2024-01-02 03:60":                 "",
		"2024-01-02 03:04:05 Europe/Paris": "",
		"":                                 "",
		"infinity":                         "",
	} {
		got, ok := parseTime([]byte(text))
		if ok != (want != "") || ok && got.Format(time.RFC3339Nano) != want {
			t.Errorf("%q: %v %v, want %q", text, got, ok, want)
		}
	}
}

func TestIDs(t *testing.T) {
	for text, want := range map[string][]int64{
		"[]": {}, "[1]": {1}, "[1,2,-3]": {1, 2, -3}, "[null,5, null]": {5}, "": nil, "x": nil,
	} {
		if got := parseIDs([]byte(text)); !slices.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestJSONList(t *testing.T) {
	got := string(appendJSONList(nil, []string{"a", `"\`, "\n\x01", "é"}))
	if want := `["a","\"\\","\u000a\u0001","é"]`; got != want {
		t.Error(got)
	}
}

func TestLRU(t *testing.T) {
	l := newLRU[int](2)
	l.put("a", 1)
	l.put("b", 2)
	l.get("a")
	if old, full := l.put("c", 3); !full || old != 2 {
		t.Error(old, full)
	}
	if _, ok := l.get("b"); ok {
		t.Error("b is still there")
	}
	if v, ok := l.get("a"); !ok || v != 1 {
		t.Error("a is gone")
	}
	if old, full := l.put("d", 4); !full || old != 3 {
		t.Error(old, full)
	}
}

func TestMayModify(t *testing.T) {
	for sql, want := range map[string]bool{
		"insert into t values (1)":                         true,
		" UPDATE t set a = 1":                              true,
		"with x as (select 1) delete from t":               true,
		"with x as (select 1) select * from x":             false,
		"create table updates (a integer)":                 false,
		"select 'insert'":                                  false,
		"replace into t values (1)":                        true,
		"-- x\nselect 1":                                   false,
		"":                                                 false,
		strings.Repeat(" ", 5) + "Delete from t":           true,
		"with recursive n(i) as (select 1) INSERT into t ": true,
	} {
		if got := mayModify(sql); got != want {
			t.Errorf("%q: %v", sql, got)
		}
	}
}
