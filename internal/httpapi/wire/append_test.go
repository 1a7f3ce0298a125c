package wire

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

func TestAppendString(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", `""`},
		{"plain text", `"plain text"`},
		{`a "quoted" \ word`, `"a \"quoted\" \\ word"`},
		{"tab\tnew\nline\r", `"tab\tnew\nline\r"`},
		{"\x00\x01\x1f\x7f", "\"\\u0000\\u0001\\u001f\x7f\""},
		{"Zoë Müller 日本 🎉", `"Zoë Müller 日本 🎉"`},
		{"bad \xff\xfe utf8 \xe2\x82", "\"bad \uFFFD\uFFFD utf8 \uFFFD\uFFFD\""},
		{"<script>&amp;", `"<script>&amp;"`},
	} {
		if got := string(AppendString(nil, test.in)); got != test.want {
			t.Errorf("%q: %s, want %s", test.in, got, test.want)
		}
	}
}

func FuzzAppendString(f *testing.F) {
	f.Add("a\"b\\c\n\u2028\xff")
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		if err := json.Unmarshal(AppendString(nil, s), &back); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(s, "\uFFFD"); len(s) == len(back) && back != want {
			t.Fatalf("%q came back as %q", s, back)
		}
	})
}

func TestAppendFloat(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 100: "100", 79.99: "79.99", -0.5: "-0.5", 1e21: "1e+21", 1e20: "100000000000000000000",
		1e-7: "1e-07", 0.000001: "0.000001", math.Inf(1): "null", math.Copysign(0, -1): "0", 1.0 / 3: "0.3333333333333333",
	} {
		got := string(AppendFloat(nil, x))
		if got != want {
			t.Errorf("%v: %s, want %s", x, got, want)
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("%v: %s is not JSON", x, got)
		}
	}
	if got := string(AppendFloat(nil, math.NaN())); got != "null" {
		t.Error(got)
	}
}

func TestAppendRounded(t *testing.T) {
	for _, test := range []struct {
		x      float64
		digits int
		want   string
	}{
		{79.99, 2, "79.99"},
		{100, 2, "100"},
		{sum(0.1, 0.2), 2, "0.3"},
		{2.675, 2, "2.68"},
		{1.005, 2, "1.01"},
		{-2.675, 2, "-2.68"},
		{-0.004, 2, "0"},
		{0.004, 2, "0"},
		{0.005, 2, "0.01"},
		{1.05, 1, "1.1"},
		{12.5, 0, "13"},
		{-12.5, 0, "-13"},
		{0.07, 2, "0.07"},
		{10.07, 2, "10.07"},
		{1234567.891, 3, "1234567.891"},
		{1e18, 2, "1000000000000000000"},
		{-9.9999999999881e13, 1, "-99999999999881"},
		{123456789012.34, 2, "123456789012.34"},
		{1e13 + 0.5, 2, "10000000000000.5"},
		{1e14, 0, "100000000000000"},
		{5.1, 6, "5.1"},
		{12.100000000000001, 6, "12.1"},
		{1.234, 6, "1.234"},
		{0, 2, "0"},
		{1e-9, 9, "0.000000001"},
		{0.123456789012, 12, "0.123456789012"},
		{math.Inf(-1), 2, "null"},
		{math.NaN(), 2, "null"},
	} {
		if got := string(AppendRounded(nil, test.x, test.digits)); got != test.want {
			t.Errorf("%v to %d digits: %s, want %s", test.x, test.digits, got, test.want)
		}
	}
}

func FuzzAppendRounded(f *testing.F) {
	f.Add(79.99, 2)
	f.Add(-1e14, 9)
	f.Fuzz(func(t *testing.T, x float64, digits int) {
		digits = min(max(digits, 0), 12)
		text := AppendRounded(nil, x, digits)
		if !json.Valid(text) {
			t.Fatalf("%v to %d digits is %s", x, digits, text)
		}
		var back float64
		if json.Unmarshal(text, &back) == nil && math.Abs(x) < 1e14 && math.Abs(back-x) > 0.51*math.Pow10(-digits)+math.Abs(x)*0x1p-51 {
			t.Fatalf("%v to %d digits is %s", x, digits, text)
		}
	})
}

// TestDates compares with the library, around every edge of the calendar.
func TestDates(t *testing.T) {
	check := func(days int64) {
		want := time.Unix(days*86400, 0).UTC().Format("2006-01-02")
		if got := string(AppendDate(nil, days)); got != want {
			t.Fatalf("day %d: %s, want %s", days, got, want)
		}
	}
	for days := int64(-719162); days < 2932896; days += 17 { // 0001-01-01 … 9999-12-31
		check(days)
	}
	for _, year := range []int{1, 4, 100, 400, 1600, 1900, 1969, 1970, 2000, 2024, 2026, 2100, 9999} {
		for _, day := range []time.Time{
			time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(year, 2, 28, 0, 0, 0, 0, time.UTC),
			time.Date(year, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC),
		} {
			check(day.Unix() / 86400)
		}
	}
	if got := string(AppendDate(nil, -719162-400)); got != "-0001-11-27" && got != "0000-11-28" {
		t.Logf("before the calendar: %s", got)
	}
}

func TestClock(t *testing.T) {
	for micros, want := range map[int64]string{
		0: "00:00:00", 1: "00:00:00", -1: "23:59:59", 86_399_999_999: "23:59:59", 37_800_000_000: "10:30:00", -86_400_000_000: "00:00:00",
	} {
		if got := string(AppendClock(nil, micros)); got != want {
			t.Errorf("%d: %s, want %s", micros, got, want)
		}
	}
}

// sum adds at run time, with the error that constants do not have.
func sum(a, b float64) float64 { return a + b }
