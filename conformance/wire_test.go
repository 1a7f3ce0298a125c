package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gatehouse/internal/app"
	"gatehouse/internal/business"
	"gatehouse/internal/config"
	"gatehouse/internal/sqldb"
)

// exchange is a request that was sent to a real Odoo, and what it answered.
type exchange struct {
	ID, About string
	Request   struct {
		Method, Path string
		Headers      map[string]string
		Body         string
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    string
	}
}

// servedCorpus is a Gatehouse on the data of the recording.
func servedCorpus(t *testing.T) http.Handler {
	t.Helper()
	c := loadedCorpus(t)
	cfg := config.Default()
	cfg.Store.DataDir, cfg.Store.AdminPassword = t.TempDir(), "admin"
	db, err := sqldb.OpenSQLite(t.Context(), filepath.Join(cfg.Store.DataDir, "gatehouse.db"), sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := importCorpus(t.Context(), c.db, db, business.Models()); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	a, err := app.Open(t.Context(), cfg, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(t.Context()) })
	if err := a.Settings.Set(t.Context(), map[string]any{"global_rate_limit": 0}); err != nil {
		t.Fatal(err)
	}
	h, err := a.Handler()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// onPurpose are the exchanges that Gatehouse answers otherwise, and why.
var onPurpose = map[string]string{
	"json2-040":   "the store is not PostgreSQL, and its errors are not shown",
	"json2-017":   "there is one database, under any name",
	"jsonrpc-033": "there is one database, under any name",
	"xmlrpc-025":  "there is one database, under any name",
}

// TestWire sends what was sent to a real Odoo, and compares status, type and
// shape of the answers, all results, and of errors what clients tell them apart by.
func TestWire(t *testing.T) {
	w := &wireReplay{h: servedCorpus(t), ids: map[string]string{}}
	for _, name := range []string{"json2", "jsonrpc", "web", "xmlrpc"} {
		err := eachLine(filepath.Join(corpusFolder(t), "wire", name+".jsonl"), func(line []byte) error {
			var x exchange
			if err := json.Unmarshal(line, &x); err != nil {
				return err
			}
			t.Run(x.ID, func(t *testing.T) {
				got := w.send(&x)
				diff := w.compare(&x, got)
				switch why, known := onPurpose[x.ID]; {
				case known && diff == "":
					t.Errorf("%s: the same as Odoo's answer, but listed as different: %s", x.About, why)
				case !known && diff != "":
					t.Errorf("%s: %s\n%s %s\nOdoo's: %d %.500s\nours:   %d %.500s", x.About, diff, x.Request.Method, x.Request.Path,
						x.Response.Status, x.Response.Body, got.Code, got.Body.String())
				}
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// wireReplay sends the exchanges in their order.
type wireReplay struct {
	h       http.Handler
	session string
	ids     map[string]string // of records that were made on the way: theirs to ours
}

func (w *wireReplay) send(x *exchange) *httptest.ResponseRecorder {
	body := x.Request.Body
	if strings.Contains(x.Request.Path+body, "res.partner.category") {
		body = numeral.ReplaceAllStringFunc(body, func(n string) string {
			if ours, ok := w.ids[n]; ok {
				return ours
			}
			return n
		})
	}
	r := httptest.NewRequest(x.Request.Method, x.Request.Path, strings.NewReader(body))
	for name, value := range x.Request.Headers {
		if name == "Cookie" {
			value = w.session
		}
		r.Header.Set(name, value)
	}
	got := httptest.NewRecorder()
	w.h.ServeHTTP(got, r)
	if c, _, _ := strings.Cut(got.Header().Get("Set-Cookie"), ";"); len(c) > len("session_id=") {
		w.session = c
	}
	if strings.HasSuffix(x.Request.Path, "/create") || strings.Contains(body, `"create"`) || strings.Contains(body, ">create<") {
		theirs, ours := numeral.FindAllString(x.Response.Body, -1), numeral.FindAllString(got.Body.String(), -1)
		if len(theirs) == len(ours) {
			for i, n := range theirs {
				w.ids[n] = ours[i]
			}
		}
	}
	return got
}

var numeral = regexp.MustCompile(`\b\d+\b`)

// compare says what is different, "" for nothing.
func (w *wireReplay) compare(x *exchange, got *httptest.ResponseRecorder) string {
	if got.Code != x.Response.Status {
		return "another status"
	}
	kind := x.Response.Headers["Content-Type"]
	if got.Code == http.StatusMethodNotAllowed {
		kind = "application/json; charset=utf-8" // the page of Gatehouse's own
	}
	if have := got.Header().Get("Content-Type"); have != kind {
		return "the type " + have
	}
	switch {
	case strings.HasPrefix(kind, "text/xml"):
		return w.compareXML(x.Response.Body, got.Body.String())
	case strings.HasPrefix(kind, "application/json") && json.Valid([]byte(x.Response.Body)):
		var theirs, ours any
		if json.Unmarshal([]byte(x.Response.Body), &theirs) != nil || json.Unmarshal(got.Body.Bytes(), &ours) != nil {
			return "no JSON"
		}
		return w.compareJSON("", theirs, ours)
	}
	return ""
}

// compareJSON compares values; errors by their class, and by having the same members.
func (w *wireReplay) compareJSON(at string, theirs, ours any) string {
	switch theirs := theirs.(type) {
	case map[string]any:
		object, ok := ours.(map[string]any)
		if !ok {
			return at + ": no object"
		}
		if theirs["debug"] != nil {
			return compareFailure(at, theirs, object)
		}
		session := theirs["uid"] != nil && theirs["registry_hash"] != nil // of this Gatehouse gives a part
		for name, value := range theirs {
			mine, given := object[name]
			switch {
			case session && (!given || name == "db" || name == "groups"):
			case !given:
				return at + "." + name + ": not there"
			default:
				if diff := w.compareJSON(at+"."+name, value, mine); diff != "" {
					return diff
				}
			}
		}
		if !session && len(object) > len(theirs) {
			return at + ": more members"
		}
		return ""
	case []any:
		list, ok := ours.([]any)
		if !ok || len(list) != len(theirs) {
			return at + ": another list"
		}
		for i := range theirs {
			if diff := w.compareJSON(fmt.Sprintf("%s[%d]", at, i), theirs[i], list[i]); diff != "" {
				return diff
			}
		}
		return ""
	}
	if n, ok := theirs.(float64); ok && w.ids[fmt.Sprint(n)] != "" && fmt.Sprintf("%.0f", ours) == w.ids[fmt.Sprint(n)] {
		return ""
	}
	if theirs != ours {
		return fmt.Sprintf("%s: %v instead of %v", at, ours, theirs)
	}
	return ""
}

func compareFailure(at string, theirs, ours map[string]any) string {
	if len(ours) != len(theirs) || ours["name"] != theirs["name"] {
		return at + ": another class of error"
	}
	message, _ := ours["message"].(string)
	debug, _ := ours["debug"].(string)
	mine, _ := ours["arguments"].([]any)
	if arguments, _ := theirs["arguments"].([]any); len(mine) != len(arguments) || len(mine) > 0 && mine[0] != ours["message"] {
		return at + ": arguments"
	}
	if message == "" || strings.Contains(debug, "Traceback") {
		return at + ": no message, or too much"
	}
	return ""
}

var faultCode = regexp.MustCompile(`(?s)<name>faultCode</name>\s*<value>(.*?)</value>`)

func (w *wireReplay) compareXML(theirs, ours string) string {
	if code := faultCode.FindStringSubmatch(theirs); code != nil {
		mine := faultCode.FindStringSubmatch(ours)
		if mine == nil {
			return "no fault"
		}
		kind := func(code string) string { // of the old paths: the class, not the message; a Python error has none
			class, _, known := strings.Cut(code, "\n\n")
			if !known && strings.Contains(code, " ") {
				return "any"
			}
			return class
		}
		if kind(mine[1]) != kind(code[1]) {
			return "fault " + mine[1]
		}
		return ""
	}
	plain := func(text string) string {
		for theirs, ours := range w.ids {
			text = strings.ReplaceAll(text, "<int>"+theirs+"</int>", "<int>"+ours+"</int>")
		}
		return strings.Join(strings.Fields(text), "")
	}
	if plain(theirs) != plain(ours) {
		return "another answer"
	}
	return ""
}
