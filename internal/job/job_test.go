package job

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateTime, "2026-01-"+text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestSchedule(t *testing.T) {
	for _, test := range []struct {
		schedule    Schedule
		words       string
		start, next string
	}{
		{Every(time.Second), "every second", "31 10:00:00", "31 10:00:01"},
		{Every(time.Minute), "every minute", "31 23:59:30", "31 24:00:30"},
		{Every(90 * time.Second), "every 90 seconds", "01 10:00:00", "01 10:01:30"},
		{Every(6 * time.Hour), "every 6 hours", "01 10:00:00", "01 16:00:00"},
		{Every(48 * time.Hour), "every 2 days", "01 10:00:00", "03 10:00:00"},
		{Daily(2, 5), "daily at 02:05 UTC", "01 02:04:59", "01 02:05:00"},
		{Daily(2, 5), "daily at 02:05 UTC", "01 02:05:00", "02 02:05:00"},
		{Daily(23, 59), "daily at 23:59 UTC", "01 00:00:00", "01 23:59:00"},
	} {
		if got := test.schedule.String(); got != test.words {
			t.Errorf("%v in words: %q, want %q", test.schedule.every, got, test.words)
		}
		if test.next == "31 24:00:30" { // the next month
			if got := test.schedule.next(moment(t, test.start)).Format(time.DateTime); got != "2026-02-01 00:00:30" {
				t.Errorf("%s after %s: %s", test.words, test.start, got)
			}
			continue
		}
		if got := test.schedule.next(moment(t, test.start)); !got.Equal(moment(t, test.next)) {
			t.Errorf("%s after %s: %s, want %s", test.words, test.start, got, test.next)
		}
	}
}

func TestFirstRun(t *testing.T) {
	now := moment(t, "01 10:00:00")
	for _, test := range []struct {
		schedule Schedule
		share    float64
		want     string
	}{
		{Every(time.Hour), 0, "01 10:00:00"},
		{Every(time.Hour), 0.5, "01 10:00:30"},
		{Every(10 * time.Second), 0.5, "01 10:00:05"},
		{Daily(9, 0), 0.5, "02 09:00:00"},
	} {
		if got := test.schedule.first(now, func(d time.Duration) time.Duration { return time.Duration(test.share * float64(d)) }); !got.Equal(moment(t, test.want)) {
			t.Errorf("%s, %v: %s, want %s", test.schedule, test.share, got, test.want)
		}
	}
}

// Retries come ever later, never later than a run comes anyway.
func TestRetry(t *testing.T) {
	start, end := moment(t, "01 10:00:00"), moment(t, "01 10:00:10")
	for _, test := range []struct {
		schedule Schedule
		failures int64
		want     string
	}{
		{Every(time.Hour), 1, "01 10:01:10"},
		{Every(time.Hour), 2, "01 10:02:10"},
		{Every(time.Hour), 6, "01 10:32:10"},
		{Every(time.Hour), 7, "01 11:00:10"},
		{Every(time.Hour), 1 << 40, "01 11:00:10"},
		{Every(10 * time.Second), 1, "01 10:00:20"},
		{Daily(10, 1), 1, "01 10:01:00"},
		{Daily(9, 0), 3, "01 10:04:10"},
		{Daily(9, 0), 50, "02 09:00:00"},
	} {
		if got := test.schedule.retry(start, end, test.failures); !got.Equal(moment(t, test.want)) {
			t.Errorf("%s after %d failures: %s, want %s", test.schedule, test.failures, got, test.want)
		}
	}
}

func TestJobsAreChecked(t *testing.T) {
	run := func(context.Context) (string, error) { return "", nil }
	for _, test := range []struct {
		jobs []Job
		want string
	}{
		{[]Job{{Name: "a", Schedule: Every(time.Second), Run: run}, {Name: "b", Schedule: Daily(0, 0), Run: run}}, ""},
		{[]Job{{Schedule: Every(time.Second), Run: run}}, "missing or taken"},
		{[]Job{{Name: "a", Schedule: Every(time.Second), Run: run}, {Name: "a", Schedule: Every(time.Hour), Run: run}}, "missing or taken"},
		{[]Job{{Name: "a", Run: run}}, "schedule"},
		{[]Job{{Name: "a", Schedule: Every(time.Millisecond), Run: run}}, "schedule"},
		{[]Job{{Name: "a", Schedule: Daily(24, 0), Run: run}}, "schedule"},
		{[]Job{{Name: "a", Schedule: Every(time.Second)}}, "nothing to run"},
	} {
		_, err := New(nil, test.jobs, Options{})
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %q", test.jobs, err, test.want)
		}
	}
}

func TestStorable(t *testing.T) {
	for in, want := range map[string]string{
		"fine": "fine", "a\x00b": "ab", "a\xffb": "a?b", strings.Repeat("ä", 1000): strings.Repeat("ä", 1000),
		strings.Repeat("ä", 1001): strings.Repeat("ä", 999) + "…",
	} {
		if got := storable(in); got != want || !utf8.ValidString(got) {
			t.Errorf("%.20q: %.20q", in, got)
		}
	}
}
