package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
)

func TestPreferred(t *testing.T) {
	for accept, want := range map[string]form{
		"": asJSON, "*/*": asJSON, "text/csv": asCSV, "TEXT/CSV ; charset=utf-8": asCSV, "application/x-ndjson": asLines,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": asJSON,
		"image/png":                                          asJSON,
		"text/csv;q=0":                                       asJSON,
		"text/csv;q=0.5,application/json":                    asJSON,
		"text/csv;q=0.5, application/json; q=0.4":            asCSV,
		"application/json;q=0.9,application/x-ndjson;q=0.91": asLines,
		"text/csv, */*;q=0.1":                                asCSV,
		"text/csv,application/json":                          asCSV,
		"application/json,text/csv":                          asJSON,
		"text/csv;q=x":                                       asJSON,
		"text/csv;q=2":                                       asJSON,
		"text/csv;q=NaN":                                     asJSON,
		",;,text/csv;header=present;q=1.0,":                  asCSV,
		"text/*":                                             asJSON,
	} {
		if got := preferred(accept); got != want {
			t.Errorf("%q: %d, want %d", accept, got, want)
		}
	}
}

func TestCSVText(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "plain": "plain", "a,b": `"a,b"`, `a"b`: `"a""b"`, "a\nb": "\"a\nb\"", " a": `" a"`,
		"=1+1": `"'=1+1"`, "@SUM(1)": `"'@SUM(1)"`, "\t=1": "\"'\t=1\"", "+32 2 555-01": "+32 2 555-01", "-12.5": "-12.5",
		"+cmd|' /C calc'!A0": `"'+cmd|' /C calc'!A0"`, "-": "-", "-a": `"'-a"`, "é=": "é=",
	} {
		if got := string(wire.AppendCSVText(nil, text, true)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
		if got := string(wire.AppendCSVText(nil, text, false)); strings.Contains(got, "'=") || strings.Contains(got, "'@") {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// endless has always more records, until it fails.
type endless struct {
	*canned
	pages int
	asked chan struct{}
}

func (b *endless) Search(ctx context.Context, c *backend.Caller, q *backend.Query, sink backend.Sink) (int64, error) {
	if b.pages--; b.pages < 0 {
		return -1, errors.New("the disk is gone")
	}
	if b.asked != nil {
		select {
		case b.asked <- struct{}{}:
		case <-ctx.Done():
			return -1, ctx.Err()
		}
	}
	n, err := b.canned.Search(ctx, c, q, sink)
	q.Keyset.Next = "more"
	return n, err
}

// TestStreamBreaksOff: whoever receives half of the records learns that it is
// half, and the log says why.
func TestStreamBreaksOff(t *testing.T) {
	back := &endless{canned: newCanned(), pages: 3}
	h := newHouse(t, func(h *house) { h.deps.Backend = back })
	server := httptest.NewServer(h.server)
	defer server.Close()
	r, _ := http.NewRequest(http.MethodGet, server.URL+"/api/v1/res.partner", nil)
	r.Header.Set("X-API-Key", "all")
	r.Header.Set("Accept", "text/csv")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK || err == nil || strings.Count(string(body), "\r\n") != 241 {
		t.Errorf("%s, %d lines, %v", res.Status, strings.Count(string(body), "\r\n"), err)
	}
	e := h.events.last()
	if e.Status != 500 || e.BytesOut != int64(len(body)) || e.Cause == nil || e.ErrorType != "internal_error" {
		t.Errorf("logged %+v", e)
	}

	// Before the first record it is an error like any other.
	back.pages = 0
	h.send("all", "GET", "/api/v1/res.partner", "", "Accept", "text/csv").wantError(500, fault.Internal, "Internal server error")
	// Whoever only asks for the headers gets no stream.
	back.pages = 9
	if a := h.send("all", "HEAD", "/api/v1/res.partner", "", "Accept", "text/csv"); a.Code != 200 || a.Body.Len() != 0 || back.pages != 8 {
		t.Errorf("%d %q %d", a.Code, a.Body, back.pages)
	}
}

// TestStreamEndsWithItsCaller: nothing is read on for a caller who hung up.
func TestStreamEndsWithItsCaller(t *testing.T) {
	back := &endless{canned: newCanned(), pages: 1 << 30, asked: make(chan struct{})}
	h := newHouse(t, func(h *house) { h.deps.Backend = back })
	server := httptest.NewServer(h.server)
	ctx, hangUp := context.WithCancel(context.Background())
	r, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/v1/res.partner", nil)
	r.Header.Set("X-API-Key", "all")
	r.Header.Set("Accept", "application/x-ndjson")
	go func() { <-back.asked }()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	<-back.asked
	hangUp()
	_ = res.Body.Close()
	closed := make(chan struct{})
	go func() {
		server.Close() // waits for the request to end
		close(closed)
	}()
	for open := true; open; {
		select {
		case <-back.asked:
		case <-closed:
			open = false
		case <-time.After(20 * time.Second):
			t.Fatal("the stream goes on")
		}
	}
	if e := h.events.last(); e.Status != statusClientGone {
		t.Errorf("logged %d %v", e.Status, e.Cause)
	}
}
