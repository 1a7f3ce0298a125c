// Package job runs maintenance in the background: each job at its time, on one
// node at a time, with its last and its next run to be seen in gateway.job.
//
// Who runs a job holds a lease in its row, by the database's clock, and renews
// it while it runs. A node that dies stops renewing, and another takes over. So
// a job may be cut off anywhere and be run again: it must not mind.
package job

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gatehouse/internal/fault"
)

// Job is a piece of maintenance.
type Job struct {
	// Name tells it from others, for good: "token_vacuum".
	Name        string
	Description string
	Schedule    Schedule
	// Run does the work and says in a few words what was done. It returns soon
	// after ctx ends. What it gives, and its error, administrators can read.
	Run func(ctx context.Context) (result string, err error)
}

// Schedule is when a job runs: made by Every or Daily.
type Schedule struct {
	every time.Duration
	daily bool
	at    time.Duration // since midnight, of daily ones
}

const day = 24 * time.Hour

// Every runs a job in intervals of at least a second, from start to start.
func Every(interval time.Duration) Schedule { return Schedule{every: interval} }

// Daily runs a job once a day, at that time in UTC.
func Daily(hour, minute int) Schedule {
	return Schedule{every: day, daily: true, at: time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute}
}

func (s Schedule) valid() bool { return s.every >= time.Second && s.at >= 0 && s.at < day }

// String is the schedule in words.
func (s Schedule) String() string {
	if s.daily {
		return fmt.Sprintf("daily at %02d:%02d UTC", int(s.at.Hours()), int(s.at.Minutes())%60)
	}
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{day, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		switch n := s.every / unit.length; {
		case n == 1 && s.every == unit.length:
			return "every " + unit.name
		case n > 1 && s.every%unit.length == 0:
			return fmt.Sprintf("every %d %ss", n, unit.name)
		}
	}
	return "every " + s.every.String()
}

// firstWithin is when a job runs for the first time, at the latest.
const firstWithin = time.Minute

// first is the first run of a job that is new at a moment; spread gives a part
// of a time, so that new jobs do not run all at once.
func (s Schedule) first(now time.Time, spread func(time.Duration) time.Duration) time.Time {
	if s.daily {
		return s.next(now)
	}
	return now.Add(spread(min(s.every, firstWithin)))
}

// next is the regular run after one that began at a moment.
func (s Schedule) next(start time.Time) time.Time {
	if !s.daily {
		return start.Add(s.every)
	}
	at := start.UTC().Truncate(day).Add(s.at)
	if !at.After(start) {
		at = at.Add(day)
	}
	return at
}

// firstRetry is the pause after a failure; it doubles with each further one.
const firstRetry = time.Minute

// retry is the next run after so many failures in a row: soon, then ever
// later, and no later than the regular one.
func (s Schedule) retry(start, end time.Time, failures int64) time.Time {
	pause := s.every
	if doublings := max(failures-1, 0); doublings < 20 {
		pause = min(pause, firstRetry<<doublings)
	}
	again, regular := end.Add(pause), s.next(start)
	if s.daily && regular.Before(again) {
		return regular
	}
	return again
}

// checkJobs finds what a programmer did wrong.
func checkJobs(jobs []Job) error {
	seen := map[string]bool{}
	for _, j := range jobs {
		switch {
		case j.Name == "" || seen[j.Name]:
			return fmt.Errorf("job %q: the name is missing or taken", j.Name)
		case !j.Schedule.valid():
			return fmt.Errorf("job %s: the schedule must be of a second or more, or a time of day", j.Name)
		case j.Run == nil:
			return fmt.Errorf("job %s has nothing to run", j.Name)
		}
		seen[j.Name] = true
	}
	return nil
}

// unknown is the fault of a name that no job has.
func unknown(name string, jobs []Job) error {
	names := make([]string, len(jobs))
	for i, j := range jobs {
		names[i] = j.Name
	}
	return fault.Newf(fault.NotFound, "There is no job %.64q; there are: %s", name, strings.Join(names, ", "))
}

// maxText bounds results and errors that are kept.
const maxText = 1000

// storable is a text that every store takes.
func storable(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\x00", "")
	if r := []rune(text); len(r) > maxText {
		text = string(r[:maxText-1]) + "…"
	}
	return text
}
