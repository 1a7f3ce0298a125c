package odoorpc

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// answering is a server that has nothing to do.
func answering(b *testing.B, body string) *httptest.Server {
	b.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = io.WriteString(w, body)
	}))
	b.Cleanup(server.Close)
	return server
}

// records is the answer of a search_read for a page of a list.
var records = "[" + strings.Repeat(`{"id": 115, "name": "Stark Ltd", "email": "info@stark.example", "country_id": [113, "Japan"]}, `, 79) +
	`{"id": 116, "name": "Hooli GmbH", "email": false, "country_id": [75, "France"]}]`

// BenchmarkCall compares calls with the bare POST of the same: what is between
// them is what the client costs.
func BenchmarkCall(b *testing.B) {
	const request = `{"domain": [["is_company", "=", true]], "fields": ["name", "email", "country_id"], "limit": 80}`
	kwargs := func(n int64) map[string]any {
		return map[string]any{
			"domain": []any{[]any{"is_company", "=", true}}, "fields": []string{"name", "email", "country_id"}, "limit": 80, "offset": n,
		}
	}
	envelope := `{"jsonrpc": "2.0", "id": 1, "result": ` + records + `}`
	b.Run("bare", func(b *testing.B) {
		server := answering(b, records)
		transport := &http.Transport{MaxIdleConnsPerHost: 64}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport}
		run(b, func(int64) error {
			r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, server.URL+"/json/2/res.partner/search_read", strings.NewReader(request))
			if err != nil {
				return err
			}
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "bearer x")
			response, err := client.Do(r)
			if err != nil {
				return err
			}
			defer response.Body.Close()
			var body bytes.Buffer
			_, err = body.ReadFrom(response.Body)
			return err
		})
	})
	for _, test := range []struct {
		name, protocol, body string
		account              *Account
		reads                bool
	}{
		{"json2 read", "json2", records, &Account{Secret: "key"}, true},
		{"json2 write", "json2", records, &Account{Secret: "key"}, false},
		{"jsonrpc read", "jsonrpc", envelope, &Account{UID: 7, Secret: "key"}, true},
		{"session read", "web", envelope, &Account{Session: NewSession("abc", nil)}, true},
	} {
		b.Run(test.name, func(b *testing.B) {
			server := answering(b, test.body)
			c, err := New(Options{URL: server.URL, Protocol: test.protocol, Database: "corpus", MaxConns: 64})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			run(b, func(n int64) error {
				_, err := c.Call(context.Background(), test.account, &Request{
					Model: "res.partner", Method: "search_read", Kwargs: kwargs(n), Reads: test.reads, For: strconv.FormatInt(n%5, 10),
				})
				return err
			})
		})
	}
}

func run(b *testing.B, call func(n int64) error) {
	b.Helper()
	var n atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := call(n.Add(1)); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
