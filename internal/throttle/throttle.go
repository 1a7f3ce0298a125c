// Package throttle counts requests against limits, exactly and across all
// nodes that share a database, and finds out which address a request comes
// from. It knows nothing of users or keys: what is counted is a subject, such
// as "key:7" or "ip:192.0.2.7".
package throttle

import (
	"fmt"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

// Channel is the signal that stored windows were changed by somebody else than
// a Limiter (deleted, say): Limiters then forget whom they refuse.
const Channel = "throttle"

// MaxLimit is the largest limit that is counted; anything above is no limit in
// practice and would not fit the column.
const MaxLimit = 1_000_000_000

// Window is a limit: at most Limit requests in each period of Seconds, which
// starts at a multiple of Seconds since 1970 by the database's clock. Name is
// the period in messages, such as "minute". Limit 0 or less is no limit.
type Window struct {
	Name    string
	Seconds int64
	Limit   int64
}

// Windows gives the limited ones of the three usual windows.
func Windows(minute, hour, day int64) []Window {
	all := make([]Window, 0, 3)
	for _, w := range [...]Window{{"minute", 60, minute}, {"hour", 3600, hour}, {"day", 86400, day}} {
		if w.Limit > 0 {
			all = append(all, w)
		}
	}
	return all
}

// Decision is the answer to one request. Limit, Remaining, Reset and Window
// describe the tightest window: the one with the fewest requests left or, of a
// refused request, the one that refuses for longest. Without any limit, Limit
// is 0 and the others mean nothing.
type Decision struct {
	Allowed   bool
	Limit     int64
	Remaining int64
	Reset     time.Duration // until the window ends
	Window    string
	Start     time.Time // of the window, by the database's clock
}

// Fault is the error of a refused request: RateLimited, with the time to wait.
func (d Decision) Fault() *fault.Error {
	return &fault.Error{
		Kind:       fault.RateLimited,
		Message:    fmt.Sprintf("Rate limit exceeded. Max %d requests per %s", d.Limit, d.Window),
		RetryAfter: d.Reset,
	}
}

// Models declares gateway.throttle, the windows that are being counted, and
// gateway.block, the addresses that are refused.
func Models() []*schema.Model {
	return []*schema.Model{{
		Name: "gateway.throttle", Label: "Active Throttle", Table: "gateway_throttle",
		Order: "window_start desc, id desc", RecName: "subject",
		AdminOnly: true, NoLog: true, NoCreate: true,
		Uniques: []schema.Unique{{
			Name: "window_uniq", Columns: []string{"subject", "window_seconds", "window_start"},
			Message: "This window is counted already",
		}},
		Fields: []*schema.Field{
			schema.NewChar("subject", "Caller").Req().RO().
				Helped("Who is counted: a key (key:7), a user (user:2), his session of the pages (session:2) or an address (ip:192.0.2.7)"),
			schema.NewChar("caller", "Name").ComputedSQL(callerName).
				Helped("The name of the key or client, the login of the user or the address behind it"),
			schema.NewChar("window_name", "Window").RO(),
			schema.NewInteger("window_seconds", "Window Length (s)").Req().RO(),
			schema.NewDatetime("window_start", "Window Start").Req().RO().Index(),
			schema.NewDatetime("window_end", "Window End").RO().Helped("When the count starts anew"),
			schema.NewInteger("count", "Requests").RO().Helped("Requests that were let through"),
			schema.NewInteger("max_count", "Limit").RO(),
			schema.NewInteger("remaining", "Remaining").ComputedSQL(
				`case when {t}."max_count" > {t}."count" then {t}."max_count" - {t}."count" else 0 end`),
		},
	}, blockModel()}
}

// callerName is who a subject is, for people; the limiter itself only knows
// subjects. Those that are gone, and kinds that are not named here, are told
// as they are. Columns are quoted, which is how the engine sees that they are
// needed.
const callerName = `coalesce(case
	when {t}."subject" like 'key:%' then (select k.name from gateway_key k where k.id = cast(substr({t}."subject", 5) as integer))
	when {t}."subject" like 'user:%' then (select u.login from res_users u where u.id = cast(substr({t}."subject", 6) as integer))
	when {t}."subject" like 'session:%' then (select s.login from res_users s where s.id = cast(substr({t}."subject", 9) as integer))
	when {t}."subject" like 'client:%' then (select c.name from gateway_client c where c.id = cast(substr({t}."subject", 8) as integer))
	when {t}."subject" like 'ip:%' then substr({t}."subject", 4)
	end, {t}."subject")`
