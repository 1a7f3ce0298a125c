package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// answer is what was answered, and how long the body is said to be.
type answer struct {
	status int
	header http.Header
	body   string
	length string
}

func get(t *testing.T, blocked bool, method, path string, headers ...string) answer {
	t.Helper()
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	h, err := Handler(next, func(*http.Request) bool { return blocked })
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String(), w.Header().Get("Content-Length")}
}

func text(t *testing.T, r io.Reader) string {
	t.Helper()
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

func TestPage(t *testing.T) {
	a := get(t, false, "GET", "/", "Accept", "text/html,*/*;q=0.8")
	page := a.body
	if a.status != http.StatusOK || !strings.Contains(page, `<div id="app">`) || a.header.Get("Cache-Control") != "no-cache" ||
		a.header.Get("Content-Type") != "text/html; charset=utf-8" || a.header.Get("Content-Security-Policy") != policy ||
		a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Referrer-Policy") == "" {
		t.Errorf("%d %v", a.status, a.header)
	}
	if inline := regexp.MustCompile(`<style|style=|\son\w+="|<script(>| [^>]*>[^<])`).FindString(page); inline != "" {
		t.Errorf("the policy refuses what is written in the page: %s", inline)
	}
	for _, found := range regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		path := found[1]
		a := get(t, false, "GET", path, "Accept-Encoding", "br, gzip")
		z, err := gzip.NewReader(strings.NewReader(a.body))
		if a.status != http.StatusOK || a.header.Get("Content-Encoding") != "gzip" || err != nil {
			t.Errorf("%s: %d %v %v", path, a.status, a.header, err)
			continue
		}
		plain := get(t, false, "GET", path, "Accept-Encoding", "gzip;q=0")
		if text(t, z) != plain.body || plain.header.Get("Content-Encoding") != "" {
			t.Errorf("%s differs when compressed", path)
		}
		if lasting := strings.Contains(a.header.Get("Cache-Control"), "immutable"); lasting != strings.HasPrefix(path, "/assets/") {
			t.Errorf("%s: Cache-Control %s", path, a.header.Get("Cache-Control"))
		}
		again := get(t, false, "GET", path, "If-None-Match", `"x", `+a.header.Get("ETag"))
		if again.status != http.StatusNotModified || again.body != "" {
			t.Errorf("%s: %d for who has it", path, again.status)
		}
		if head := get(t, false, "HEAD", path); head.status != http.StatusOK || head.length != plain.length || head.body != "" {
			t.Errorf("HEAD %s: %d", path, head.status)
		}
	}
}

// What is not the pages' is the API's.
func TestRest(t *testing.T) {
	const html = "text/html"
	for _, test := range []struct {
		method, path, accept string
		blocked              bool
	}{
		{"GET", "/", "*/*", false},
		{"GET", "/", "application/json", false},
		{"POST", "/", html, false},
		{"GET", "/", html, true},
		{"GET", "/theme.js", html, true},
		{"GET", "/api/v1/ping", html, false},
		{"GET", "/healthz", html, false},
		{"GET", "/.well-known/oauth-authorization-server", html, false},
		{"GET", "/assets/", html, false},
		{"GET", "/assets/none.js", html, false},
		{"GET", "/../embed.go", html, false},
	} {
		if a := get(t, test.blocked, test.method, test.path, "Accept", test.accept); a.status != http.StatusTeapot {
			t.Errorf("%v: %d", test, a.status)
		}
	}
}
