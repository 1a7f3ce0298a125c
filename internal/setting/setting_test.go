package setting

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/fault"
)

func TestDefinitions(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range definitions() {
		if seen[d.name] || d.label == "" || !strings.HasSuffix(d.doc, ".") {
			t.Errorf("%s: twice, without a label, or without a sentence", d.name)
		}
		seen[d.name] = true
		v, err := d.parse(d.standard)
		if err != nil {
			t.Errorf("%s: the default is wrong: %v", d.name, err)
			continue
		}
		s := &Settings{}
		d.set(s, v)
		if got := d.get(s); !reflect.DeepEqual(got, v) {
			t.Errorf("%s: set %v, got %v", d.name, v, got)
		}
		if again, err := d.parse(encode(v)); err != nil || !reflect.DeepEqual(again, v) {
			t.Errorf("%s: stored as %q reads as %v (%v)", d.name, encode(v), again, err)
		}
	}
	want := &Settings{
		DefaultGetLimit: 80, MaxGetLimit: 1000, GlobalRateLimit: 60, RateWindow: Minute, LogLevel: LogErrors,
		LogRetentionDays: 30, WebhookJobRetentionDays: 30, AuditRetentionDays: 365,
		AutoblockWindowMinutes: 10, AutoblockMinutes: 60, DocsPublic: true, CORSOrigins: []string{},
	}
	if got := defaults(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestValues(t *testing.T) {
	for _, test := range []struct {
		name  string
		value any
		want  any // as Item.Value shows it
		wrong string
	}{
		{"global_rate_limit", 0, int64(0), ""},
		{"global_rate_limit", json.Number("12"), int64(12), ""},
		{"global_rate_limit", 12.0, int64(12), ""},
		{"global_rate_limit", " 12 ", int64(12), ""},
		{"global_rate_limit", int64(12), int64(12), ""},
		{"global_rate_limit", -1, nil, "from 0 to 1000000000"},
		{"global_rate_limit", 1.5, nil, "whole number"},
		{"global_rate_limit", 1e300, nil, "whole number"},
		{"global_rate_limit", "many", nil, "whole number"},
		{"global_rate_limit", json.Number("1.5"), nil, "whole number"},
		{"global_rate_limit", true, nil, "whole number"},
		{"log_retention_days", 0, nil, "from 1"},
		{"rate_window", "hour", "hour", ""},
		{"rate_window", "Hour", nil, "one of minute, hour, day"},
		{"rate_window", 60, nil, "one of minute, hour, day"},
		{"log_level", "full", "full", ""},
		{"docs_public", false, false, ""},
		{"docs_public", "No", false, ""},
		{"docs_public", "1", true, ""},
		{"docs_public", "maybe", nil, "true or false"},
		{"docs_public", 1, nil, "true or false"},
		{"cors_origins", "", []string{}, ""},
		{"cors_origins", "*", []string{"*"}, ""},
		{"cors_origins", "https://A.example, http://localhost:3000\nhttps://a.example", []string{"https://a.example", "http://localhost:3000"}, ""},
		{"cors_origins", []any{"https://a.example"}, []string{"https://a.example"}, ""},
		{"cors_origins", []string{"http://[::1]:80"}, []string{"http://[::1]:80"}, ""},
		{"cors_origins", []any{1}, nil, "list of texts"},
		{"cors_origins", 1, nil, "list of texts"},
		{"cors_origins", "*,https://a.example", nil, "stand alone"},
		{"cors_origins", "https://*.example", nil, "not an origin"},
		{"cors_origins", "https://a.example/", nil, "not an origin"},
		{"cors_origins", "a.example", nil, "not an origin"},
		{"cors_origins", "ftp://a.example", nil, "not an origin"},
		{"cors_origins", "https://user@a.example", nil, "not an origin"},
		{"cors_origins", "https://:80", nil, "not an origin"},
		{"cors_origins", "null", nil, "not an origin"},
		{"max_get_limit", 79, nil, "default_get_limit must not be more"},
	} {
		values, err := merge(map[string]string{}, map[string]any{test.name: test.value})
		if test.wrong != "" {
			if !fault.Is(err, fault.BadRequest) || !strings.Contains(fault.From(err).Message, test.wrong) {
				t.Errorf("%s = %v: %v, want %q", test.name, test.value, err, test.wrong)
			} else if _, ok := fault.From(err).Details.(fault.FieldErrors); !ok {
				t.Errorf("%s = %v: no field errors", test.name, test.value)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s = %v: %v", test.name, test.value, err)
			continue
		}
		for _, item := range read(values).items() {
			if item.Name == test.name && !reflect.DeepEqual(item.Value, test.want) {
				t.Errorf("%s = %v: %v, want %v", test.name, test.value, item.Value, test.want)
			}
		}
	}
}

func TestReadForgives(t *testing.T) {
	got := read(map[string]string{"max_get_limit": "lots", "from_the_future": "1", "default_get_limit": "50"})
	if got.MaxGetLimit != 1000 || got.DefaultGetLimit != 50 {
		t.Errorf("%+v", got)
	}
}

func TestPeriod(t *testing.T) {
	for p, want := range map[Period]time.Duration{Minute: time.Minute, Hour: time.Hour, Day: 24 * time.Hour} {
		if p.Duration() != want {
			t.Errorf("%s lasts %v", p, p.Duration())
		}
	}
}

func TestItems(t *testing.T) {
	list := defaults().items()
	if len(list) != len(definitions()) {
		t.Fatalf("%d items", len(list))
	}
	text, err := json.Marshal(list[2])
	if err != nil || string(text) != `{"name":"global_rate_limit","label":"Global Rate Limit","doc":"Requests per rate window for callers without limits of their own; 0 is no limit.",`+
		`"type":"integer","min":0,"max":1000000000,"default":60,"value":60}` {
		t.Errorf("%s %v", text, err)
	}
}
