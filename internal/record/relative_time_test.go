package record

import (
	"testing"
	"time"
)

func TestRelativeTime(t *testing.T) {
	now := time.Date(2024, 1, 31, 15, 4, 5, 600, time.UTC) // a Wednesday
	for text, want := range map[string]string{
		"now":                   "2024-01-31 15:04:05",
		"today":                 "2024-01-31 00:00:00",
		"today +1d":             "2024-02-01 00:00:00",
		"today -1w":             "2024-01-24 00:00:00",
		"today +1m":             "2024-02-29 00:00:00", // stays inside the month
		"today +1y":             "2025-01-31 00:00:00",
		"+3H":                   "2024-01-31 18:04:05",
		"now -5M +10S":          "2024-01-31 14:59:15",
		"today =1d":             "2024-01-01 00:00:00",
		"=1m":                   "2024-01-31 00:00:00", // the day stays
		"=2m":                   "2024-02-29 00:00:00",
		"=2020y":                "2020-01-31 00:00:00",
		"=99d":                  "2024-01-31 00:00:00",
		"=0d":                   "2024-01-31 00:00:00",
		"today +3H":             "2024-01-31 03:00:00",
		"=monday":               "2024-01-29 00:00:00",
		"+monday":               "2024-02-05 15:04:05",
		"+week_start":           "2024-02-05 15:04:05",
		"-wednesday":            "2024-01-31 15:04:05",
		"=+2d":                  "2024-01-02 00:00:00",
		"today =week_start":     "2024-01-29 00:00:00",
		"today +monday":         "2024-02-05 00:00:00",
		"today -friday":         "2024-01-26 00:00:00",
		"today =1d +1m -1d":     "2024-01-31 00:00:00",
		"now =12H":              "2024-01-31 12:00:00",
		"today -1m =1d -1y +1w": "2022-12-08 00:00:00",
	} {
		got, _, err := relativeTime(text, now, 1)
		if err != nil || got.Format("2006-01-02 15:04:05") != want {
			t.Errorf("%q: got %s, %v; want %s", text, got.Format("2006-01-02 15:04:05"), err, want)
		}
	}
	for _, text := range []string{"", "yesterday", "today 1d", "today +d", "today +1x", "today + 1d", "+", "today +99999999999d", "now =week_end", "2024-13-01", "=2w", "=13m", "=24H", "=-1d", "+_1d", "today +9000y"} {
		if got, _, err := relativeTime(text, now, 1); err == nil {
			t.Errorf("%q is taken as %s", text, got)
		}
	}
}

func FuzzRelativeTime(f *testing.F) {
	for _, seed := range []string{"today +1d", "now -100000y", "=5m", "+monday", "today =0d =99H"} {
		f.Add(seed)
	}
	now := time.Date(2024, 1, 31, 15, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		a, day, err := relativeTime(text, now, 1)
		if err != nil {
			return
		}
		b, again, err := relativeTime(text, now, 1)
		if err != nil || !a.Equal(b) || day != again {
			t.Errorf("%q gives %s and %s", text, a, b)
		}
	})
}
