package gateway

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/business"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/schema"
)

// clearFault says whether an error is one that a caller can act on: a 400 that names the place.
func clearFault(t *testing.T, err error, places ...string) {
	t.Helper()
	f := fault.From(err)
	details, _ := f.Details.(fault.FieldErrors)
	if f.Kind != fault.BadRequest || f.Message == "" || len(f.Message) > 700 || len(details) != 1 {
		t.Fatalf("%v (%v)", err, f.Details)
	}
	for place := range details {
		if len(places) > 0 && !slices.Contains(places, place) {
			t.Fatalf("at %q: %v", place, err)
		}
	}
}

func partner(t testing.TB) *schema.Model {
	t.Helper()
	for _, m := range schema.Prepare(business.Models()) {
		if m.Name == "res.partner" {
			return m
		}
	}
	t.Fatal("no res.partner")
	return nil
}

// FuzzFieldList: a list is refused with a clear answer, or holds stored names
// of the model, each once.
func FuzzFieldList(f *testing.F) {
	for _, seed := range []string{
		`["name","email"]`, `"name, email"`, `"name,,name"`, `[]`, `[1]`, `[null]`, `{"a":1}`, `name`, `"nam"`, "null", `["display_name"]`,
		`["` + strings.Repeat("x", 300) + `"]`, `["na\u0000me"]`, "[\"\xff\"]", `["id"]`, `["create_uid"]`, `"name; drop table x"`,
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	m := partner(f)
	f.Fuzz(func(t *testing.T, text string, watch bool) {
		which := "fields"
		if watch {
			which = "watch_fields"
		}
		got, err := fieldList(m, which, text, false)
		if err != nil {
			clearFault(t, err, which)
			return
		}
		if got == nil {
			return
		}
		var names []string
		raw, _ := got.(json.RawMessage)
		if err := json.Unmarshal(raw, &names); err != nil || len(names) == 0 {
			t.Fatalf("%q is kept as %s: %v", text, raw, err)
		}
		for i, name := range names {
			if fd := m.Field(name); fd == nil || !record.Tellable(fd) || watch && !fd.Store || slices.Contains(names[:i], name) {
				t.Fatalf("%q is kept as %s", text, raw)
			}
		}
	})
}

// FuzzHeaders: headers are refused with a clear answer, or make a request that
// is read as it was meant: with them, and with no other thing changed.
func FuzzHeaders(f *testing.F) {
	for _, seed := range []string{
		`{"Authorization":"Bearer x"}`, `{"X":"a\r\nY: b"}`, `{"X":"a\nHost: b"}`, `{"X\r\nY":"a"}`, `{"Host":"x"}`, `{"hOsT":"x"}`,
		`{"Webhook-Signature":"x"}`, `{"webhook-id":"x"}`, `{"Transfer-Encoding":"chunked"}`, `{"Content-Length":"0"}`, `{"Connection":"close"}`,
		`{"X-A":"1","x-a":"2"}`, `{"X":null}`, `{"X":1}`, `[]`, `null`, `{"":"x"}`, `{"X Y":"x"}`, `{"X:":"x"}`, `{"X":"\u0000"}`, `{"X":"é"}`,
		`{"Expect":"100-continue"}`, `{"Proxy-Authorization":"x"}`, `{"X":"` + strings.Repeat("y", 5000) + `"}`, `{"User-Agent":"mine"}`, `{"X":" y "}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if err := checkHeaders(text); err != nil {
			clearFault(t, err, "headers")
			return
		}
		var headers map[string]string
		if err := json.Unmarshal([]byte(text), &headers); err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest(http.MethodPost, "http://example.com/hook", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("User-Agent", "Gatehouse")
		for name, value := range headers {
			req.Header.Set(name, value)
		}
		req.Header.Set("Webhook-Id", "evt_1")
		var wire bytes.Buffer
		if err := req.Write(&wire); err != nil {
			t.Fatalf("%q cannot be sent: %v", text, err)
		}
		got, err := http.ReadRequest(bufio.NewReader(&wire))
		if err != nil {
			t.Fatalf("%q cannot be read: %v", text, err)
		}
		if got.Host != "example.com" || got.ContentLength != 2 || got.Header.Get("Webhook-Id") != "evt_1" || len(got.TransferEncoding) > 0 {
			t.Fatalf("%q makes another request: %+v", text, got)
		}
		names := map[string]bool{"User-Agent": true, "Webhook-Id": true, "Content-Length": true}
		for name, value := range headers {
			names[http.CanonicalHeaderKey(name)] = true
			if want := strings.Trim(value, " \t"); got.Header.Get(name) != want && !(name != "" && want == "" && strings.EqualFold(name, "User-Agent")) {
				t.Fatalf("%q arrives as %q", text, got.Header)
			}
		}
		for name := range got.Header {
			if !names[name] {
				t.Fatalf("%q brings %s along", text, name)
			}
		}
	})
}

// FuzzSpan: a span of time is refused with a clear answer, or is one that a
// store takes, in the right order.
func FuzzSpan(f *testing.F) {
	for _, seed := range [][2]string{
		{"2026-01-31", "2026-02-01"},
		{"2026-01-31T10:30:00Z", ""},
		{"", "2026-01-31 10:30:00"},
		{"yesterday", ""},
		{"2026-02-30", ""},
		{"2026-02-01", "2026-01-31"},
		{"0000-01-01", "9999-12-31T23:59:59-14:00"},
		{"2026-01-31T10:30:00+99:00", "x"},
		{"-0001-01-01", "10000-01-01"},
		{"2026-01-31T10:30:00.123456789Z", "2026-01-31T10:30:00,5Z"},
	} {
		f.Add("from", seed[0], seed[1])
	}
	f.Add("form", "2026-01-31", "")
	f.Fuzz(func(t *testing.T, name, a, b string) {
		args := record.Values{name: a, "to": b}
		from, to, err := spanArgs(args)
		if err != nil {
			clearFault(t, err)
			return
		}
		if name != "from" && name != "to" {
			t.Fatalf("the argument %q was taken", name)
		}
		for _, at := range []time.Time{from, to} {
			if !at.IsZero() && (at.Year() < 1 || at.Year() > 9999 || at.Location() != time.UTC) {
				t.Fatalf("%q, %q: %s", a, b, at)
			}
		}
		if !from.IsZero() && !to.IsZero() && !from.Before(to) {
			t.Fatalf("%q, %q: from %s to %s", a, b, from, to)
		}
	})
}

func TestSpan(t *testing.T) {
	for _, bad := range []record.Values{
		{"from": true},
		{"to": 1.5},
		{"from": []any{"2026-01-01"}},
		{"form": "2026-01-01"},
		{"from": "0000-12-31"},
		{"from": "2026-01-02", "to": "2026-01-02"},
		{"to": "9999-12-31T23:59:59-14:00"},
	} {
		_, _, err := spanArgs(bad)
		clearFault(t, err)
	}
	from, to, err := spanArgs(record.Values{"from": "2026-01-31", "to": "2026-01-31T10:30:00+02:00"})
	if err != nil || from.Format(time.RFC3339) != "2026-01-31T00:00:00Z" || to.Format(time.RFC3339) != "2026-01-31T08:30:00Z" {
		t.Errorf("%s to %s: %v", from, to, err)
	}
}

func TestHeaderBounds(t *testing.T) {
	many := map[string]string{}
	for i := range maxHeaders + 1 {
		many["X-"+strconv.Itoa(i)] = "x"
	}
	text, err := json.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	clearFault(t, checkHeaders(string(text)), "headers")
	delete(many, "X-0")
	if text, _ = json.Marshal(many); checkHeaders(string(text)) != nil {
		t.Errorf("%d headers are refused", maxHeaders)
	}
}
