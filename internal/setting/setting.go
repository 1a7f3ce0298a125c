// Package setting keeps the settings that are changed while Gatehouse runs.
// They live in the store, every node holds the current ones in memory, and a
// change takes effect on all of them within a second.
package setting

import (
	"strings"
	"time"
)

// Settings is a snapshot of all settings. It is immutable and shared.
type Settings struct {
	DefaultGetLimit int // records of a list that names no limit
	MaxGetLimit     int // records of a list at most

	GlobalRateLimit int64 // requests per RateWindow for callers without limits of their own; 0: no limit
	RateWindow      Period

	LogLevel                LogLevel
	LogRetentionDays        int
	WebhookJobRetentionDays int
	AuditRetentionDays      int // 0: for ever

	AutoblockViolations    int // refused requests that block an address; 0: never
	AutoblockWindowMinutes int // the time within which they are counted
	AutoblockMinutes       int // how long an address is blocked

	DocsPublic  bool
	CORSOrigins []string // "*" alone is any; empty: none
}

// Period is the length of a rate window.
type Period string

// The periods.
const (
	Minute Period = "minute"
	Hour   Period = "hour"
	Day    Period = "day"
)

// Duration is the length of a period.
func (p Period) Duration() time.Duration {
	switch p {
	case Hour:
		return time.Hour
	case Day:
		return 24 * time.Hour
	default:
		return time.Minute
	}
}

// LogLevel says how much of the traffic is kept.
type LogLevel string

// The levels, from the least to the most.
const (
	LogErrors   LogLevel = "errors"   // requests that failed (status 400 and above)
	LogMetadata LogLevel = "metadata" // all requests, without bodies
	LogFull     LogLevel = "full"     // all requests, with bodies
)

// Type is the type of a setting's value.
type Type string

// The types. Values of Choice are texts, those of List lists of texts.
const (
	Integer Type = "integer"
	Boolean Type = "boolean"
	Choice  Type = "selection"
	List    Type = "list"
)

// Item is one setting as the API, the command line and the settings page show it.
type Item struct {
	Name    string   `json:"name"`
	Label   string   `json:"label"`
	Doc     string   `json:"doc"`
	Type    Type     `json:"type"`
	Options []string `json:"options,omitempty"` // of a Choice
	Min     *int64   `json:"min,omitempty"`     // of an Integer
	Max     *int64   `json:"max,omitempty"`
	Default any      `json:"default"`
	Value   any      `json:"value"`
}

// definition is all there is to know about one setting.
type definition struct {
	name, label, doc string
	kind             Type
	standard         string // the default, as it would be stored
	options          []string
	min, max         int64
	// set puts a checked value (int64, bool, string or []string by kind) in its place.
	set func(*Settings, any)
	get func(*Settings) any
}

// definitions is the single source of all settings, in the order in which they
// are shown.
func definitions() []definition {
	const years = 3650 // days
	return []definition{
		integer("default_get_limit", "Default GET Limit", "80", 1, 1_000_000,
			"Records that a list answers when the request names no limit.",
			func(s *Settings) *int { return &s.DefaultGetLimit }),
		integer("max_get_limit", "Max GET Limit", "1000", 1, 1_000_000,
			"Most records that one list may ask for.",
			func(s *Settings) *int { return &s.MaxGetLimit }),
		integer("global_rate_limit", "Global Rate Limit", "60", 0, 1_000_000_000,
			"Requests per rate window for callers without limits of their own; 0 is no limit.",
			func(s *Settings) *int64 { return &s.GlobalRateLimit }),
		choice("rate_window", "Rate Window", string(Minute), []string{string(Minute), string(Hour), string(Day)},
			"The window of the global rate limit.",
			func(s *Settings) *Period { return &s.RateWindow }),
		choice("log_level", "Log Level", string(LogErrors), []string{string(LogErrors), string(LogMetadata), string(LogFull)},
			"Which requests the traffic log keeps: errors, metadata of all, or all with their bodies.",
			func(s *Settings) *LogLevel { return &s.LogLevel }),
		integer("log_retention_days", "Log Retention (days)", "30", 1, years,
			"Days after which the traffic log is deleted.",
			func(s *Settings) *int { return &s.LogRetentionDays }),
		integer("webhook_job_retention_days", "Webhook Job Retention (days)", "30", 1, years,
			"Days after which finished webhook jobs are deleted.",
			func(s *Settings) *int { return &s.WebhookJobRetentionDays }),
		integer("audit_retention_days", "Audit Retention (days)", "365", 0, years,
			"Days after which entries of the audit trail are deleted; 0 keeps them for ever.",
			func(s *Settings) *int { return &s.AuditRetentionDays }),
		integer("autoblock_violations", "Auto-block after Violations", "0", 0, 1_000_000,
			"Refused requests (401 and 429) from one address that block it; 0 blocks nobody.",
			func(s *Settings) *int { return &s.AutoblockViolations }),
		integer("autoblock_window_minutes", "Auto-block Window (minutes)", "10", 1, 1440,
			"Minutes within which the violations of an address are counted.",
			func(s *Settings) *int { return &s.AutoblockWindowMinutes }),
		integer("autoblock_minutes", "Auto-block Duration (minutes)", "60", 1, 525_600,
			"Minutes for which an address stays blocked.",
			func(s *Settings) *int { return &s.AutoblockMinutes }),
		boolean("docs_public", "Public API Documentation", "true",
			"Whether the API documentation can be read without signing in.",
			func(s *Settings) *bool { return &s.DocsPublic }),
		origins("cors_origins", "CORS Origins",
			"Web origins whose pages may call the API, such as https://shop.example.com; * is any; empty is none.",
			func(s *Settings) *[]string { return &s.CORSOrigins }),
	}
}

func integer[T int | int64](name, label, standard string, least, most int64, doc string, field func(*Settings) *T) definition {
	return definition{
		name: name, label: label, doc: doc, kind: Integer, standard: standard, min: least, max: most,
		set: func(s *Settings, v any) { n, _ := v.(int64); *field(s) = T(n) },
		get: func(s *Settings) any { return int64(*field(s)) },
	}
}

func choice[T ~string](name, label, standard string, options []string, doc string, field func(*Settings) *T) definition {
	return definition{
		name: name, label: label, doc: doc, kind: Choice, standard: standard, options: options,
		set: func(s *Settings, v any) { text, _ := v.(string); *field(s) = T(text) },
		get: func(s *Settings) any { return string(*field(s)) },
	}
}

func boolean(name, label, standard, doc string, field func(*Settings) *bool) definition {
	return definition{
		name: name, label: label, doc: doc, kind: Boolean, standard: standard,
		set: func(s *Settings, v any) { *field(s), _ = v.(bool) },
		get: func(s *Settings) any { return *field(s) },
	}
}

func origins(name, label, doc string, field func(*Settings) *[]string) definition {
	return definition{
		name: name, label: label, doc: doc, kind: List,
		set: func(s *Settings, v any) { *field(s), _ = v.([]string) },
		get: func(s *Settings) any { return append([]string{}, *field(s)...) },
	}
}

// items shows a snapshot.
func (s *Settings) items() []Item {
	standard := defaults()
	all := definitions()
	list := make([]Item, len(all))
	for i, d := range all {
		list[i] = Item{
			Name: d.name, Label: d.label, Doc: d.doc, Type: d.kind, Options: d.options,
			Default: d.get(standard), Value: d.get(s),
		}
		if d.kind == Integer {
			list[i].Min, list[i].Max = &d.min, &d.max
		}
	}
	return list
}

// defaults is the snapshot of a store without any setting.
func defaults() *Settings {
	s := &Settings{}
	for _, d := range definitions() {
		v, _ := d.parse(d.standard) // a test holds that all defaults are valid
		d.set(s, v)
	}
	return s
}

// encode is the stored form of a checked value, which parse reads.
func encode(v any) string {
	switch v := v.(type) {
	case []string:
		return strings.Join(v, "\n")
	case string:
		return v
	default:
		return text(v)
	}
}
