package backend

import (
	"testing"
	"time"
	_ "time/tzdata" // zones where the system has none
)

func TestPeriodKey(t *testing.T) {
	tests := []struct{ zone, start, granularity, from, to string }{
		{"UTC", "2024-02-01 00:00", "month", "2024-02-01 00:00", "2024-03-01 00:00"},
		{"UTC", "2024-10-01 00:00", "quarter", "2024-10-01 00:00", "2025-01-01 00:00"},
		{"UTC", "2024-01-01 00:00", "year", "2024-01-01 00:00", "2025-01-01 00:00"},
		{"UTC", "2024-12-30 00:00", "week", "2024-12-30 00:00", "2025-01-06 00:00"},
		{"UTC", "2024-12-31 23:00", "hour", "2024-12-31 23:00", "2025-01-01 00:00"},
		{"Asia/Kolkata", "2024-03-01 00:00", "day", "2024-02-29 18:30", "2024-03-01 18:30"},
		// Summer time begins in this month, ends in that one.
		{"America/New_York", "2024-03-01 00:00", "month", "2024-03-01 05:00", "2024-04-01 04:00"},
		{"America/New_York", "2024-11-01 00:00", "month", "2024-11-01 04:00", "2024-12-01 05:00"},
		// The hour from 2 comes twice; the hour from 2 never comes.
		{"Europe/Brussels", "2024-10-27 02:00", "hour", "2024-10-27 01:00", "2024-10-27 02:00"},
		{"Europe/Brussels", "2024-10-27 01:00", "hour", "2024-10-26 23:00", "2024-10-27 01:00"},
		{"Europe/Brussels", "2024-03-31 01:00", "hour", "2024-03-31 00:00", "2024-03-31 01:00"},
		// Clocks that went back without there being summer time.
		{"Asia/Pyongyang", "2015-08-14 23:00", "hour", "2015-08-14 14:00", "2015-08-14 15:30"},
	}
	const layout = "2006-01-02 15:04"
	for _, tt := range tests {
		zone, err := time.LoadLocation(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		start, err := time.Parse(layout, tt.start)
		if err != nil {
			t.Fatal(err)
		}
		key := PeriodKey(DatetimeValue(start), tt.granularity, zone)
		if from, to := key.From.Format(layout), key.To.Format(layout); from != tt.from || to != tt.to {
			t.Errorf("%s of %s in %s: %s to %s, want %s to %s", tt.granularity, tt.start, tt.zone, from, to, tt.from, tt.to)
		}
		if day := PeriodKey(DateValue(start), tt.granularity, zone); !day.From.Equal(start.Truncate(24 * time.Hour)) {
			t.Errorf("a day knows no zone: %s", day.From)
		}
	}
}
