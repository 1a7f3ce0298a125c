package business

import (
	"strings"
	"testing"
	"time"
)

func TestFormatNumber(t *testing.T) {
	moment := time.Date(2025, 3, 9, 23, 5, 7, 0, time.UTC) // a Sunday
	at := moments{now: moment, day: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), wall: moment.AddDate(1, 0, 0)}
	tests := []struct {
		prefix, suffix  string
		padding, number int64
		want            string
	}{
		{"S", "", 5, 1, "S00001"},
		{"S", "", 5, 123456, "S123456"},
		{"WH/OUT/", "", 5, 50, "WH/OUT/00050"},
		{"", "", 0, 7, "7"},
		{"", "", -3, 7, "7"},
		{"C/", "", 4, 6, "C/0006"},
		{"GROUP/%(year)s/", "", 5, 1, "GROUP/2025/00001"},
		{"%(y)s-%(month)s-%(day)s ", "/%(range_year)s/%(current_year)s", 2, 3, "25-03-09 03/2024/2026"},
		{"%(h24)s:%(min)s:%(sec)s %(h12)s ", "", 1, 0, "23:05:07 11 0"},
		{"%(doy)s %(woy)s %(weekday)s ", "", 1, 0, "068 09 0 0"},
		{"%(isoyear)s-W%(isoweek)s %(isoy)s ", "", 1, 0, "2025-W10 25 0"},
		{"100%% ", "", 1, 5, "100% 5"},
		{"é%(year)s", "ü", 3, -5, "é2025-05ü"},
	}
	for _, tt := range tests {
		got, err := formatNumber(tt.prefix, tt.suffix, tt.padding, tt.number, at)
		if err != nil || got != tt.want {
			t.Errorf("formatNumber(%q, %q, %d, %d) = %q, %v, want %q", tt.prefix, tt.suffix, tt.padding, tt.number, got, err, tt.want)
		}
	}
}

func TestFormatNumberLocal(t *testing.T) {
	zone := time.FixedZone("", 3600)
	at := moments{now: time.Date(2024, 12, 31, 23, 30, 0, 0, time.UTC), local: zone}
	if got, _ := formatNumber("%(year)s/", "", 3, 1, at); got != "2025/001" {
		t.Errorf("new year's eve in a zone ahead of UTC gives %s", got)
	}
}

func TestFormatNumberRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"%(yeer)s": "unknown placeholder %(yeer)s", "%s": "is not a placeholder",
		"50%": "is not a placeholder", "%(year": "is not a placeholder", "%(year)d": "is not a placeholder",
	} {
		if _, err := formatNumber(text, "", 1, 1, moments{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("prefix %q: %v, want %q", text, err, want)
		}
		if _, err := formatNumber("", text, 1, 1, moments{}); err == nil {
			t.Errorf("suffix %q is taken", text)
		}
	}
}

func TestWeekOfYear(t *testing.T) {
	for day, want := range map[string]int{
		"2024-01-01": 1, // a Monday
		"2023-01-01": 0, // a Sunday before the first Monday
		"2023-01-02": 1,
		"2025-12-31": 52,
		"2024-12-31": 53,
	} {
		at, _ := time.Parse(time.DateOnly, day)
		if got := weekOfYear(at); got != want {
			t.Errorf("week of %s is %d, want %d", day, got, want)
		}
	}
}
