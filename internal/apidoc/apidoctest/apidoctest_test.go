package apidoctest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse/internal/apidoc/apidoctest"
)

const document = `{"openapi":"3.0.3","info":{"title":"T","version":"1"},"paths":{"/a/{id}":{"get":{
	"operationId":"get","parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"integer"}}],
	"responses":{"200":{"description":"x","headers":{"X-Request-Id":{"$ref":"#/components/headers/X-Request-Id"}},
	"content":{"application/json":{"schema":{"type":"object","required":["a"],"properties":{"a":{"type":"string"},"b":{}}}}}}}}}},
	"components":{"headers":{"X-Request-Id":{"schema":{"type":"string"}}},
	"schemas":{"Error":{"type":"object","required":["error"],"properties":{"error":{"type":"string"}}}}}}`

// The check bites.
func TestCheck(t *testing.T) {
	c, err := apidoctest.New([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		method, path string
		status       int
		header, body string
		want         string // "" for nothing wrong
	}{
		{"GET", "/a/1", 200, "X-Request-Id", `{"a":"x"}`, ""},
		{"GET", "/a/1", 200, "", `{"a":"x","b":null}`, ""},
		{"HEAD", "/a/1", 200, "", ``, ""},
		{"OPTIONS", "/a/1", 204, "Allow", ``, ""},
		{"GET", "/a/1", 200, "", `{"a":1}`, "/a: value must be a string"},
		{"GET", "/a/1", 200, "", `{}`, `"a" is missing`},
		{"GET", "/a/1", 200, "", `{"a":"x","c":1}`, `"c" is unsupported`},
		{"GET", "/a/1", 200, "", `{`, "unexpected EOF"},
		{"GET", "/a/1", 201, "", `{}`, "no such answer"},
		{"GET", "/a/1", 200, "Retry-After", `{"a":"x"}`, "the header Retry-After"},
		{"GET", "/b", 200, "", `{}`, "no such operation"},
		{"GET", "/b", 404, "", `{"error":"x"}`, ""},
		{"GET", "/b", 404, "", `{}`, `"error" is missing`},
		{"PUT", "/a/1", 405, "", `{"error":"x"}`, ""},
	} {
		header := http.Header{"Content-Type": {"application/json; charset=utf-8"}}
		if test.header != "" {
			header[test.header] = []string{"x"}
		}
		faults := strings.Join(c.Check(httptest.NewRequest(test.method, test.path, nil), test.status, header, []byte(test.body)), "\n")
		if (faults == "") != (test.want == "") || !strings.Contains(faults, test.want) {
			t.Errorf("%s %s %d %s: %q, want %q", test.method, test.path, test.status, test.body, faults, test.want)
		}
	}
	if _, err := apidoctest.New([]byte(`{"openapi":"3.0.3"}`)); err == nil {
		t.Error("a document without paths is taken")
	}
	wrong := http.Header{"Content-Type": {"text/plain"}}
	if faults := c.Check(httptest.NewRequest(http.MethodGet, "/a/1", nil), 200, wrong, []byte("x")); len(faults) != 1 {
		t.Errorf("another media type: %v", faults)
	}
}
