package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// odooOptions are the flags of `bench odoo`.
type odooOptions struct {
	options
	rate int
}

// odooKey is the key that the stand-in knows, of the length of Odoo's.
var odooKey = strings.Repeat("0123456789", 4)

// odoo measures what the gate adds to the time of a call: the same read of one
// record is asked of a stand-in that answers at once, directly and through the
// gate, at a fixed rate whatever comes back.
func odoo(args []string) error {
	var o odooOptions
	flags := flag.NewFlagSet("odoo", flag.ContinueOnError)
	flags.IntVar(&o.rate, "rate", 1000, "requests per second")
	flags.IntVar(&o.seconds, "seconds", 10, "length of each run")
	flags.StringVar(&o.binary, "binary", "", "binary to measure; empty: build this tree")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "gatehouse-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := o.build(dir); err != nil {
		return err
	}
	stand, err := standIn()
	if err != nil {
		return err
	}
	env, _, cleanup, err := prepareStore(context.Background(), filepath.Join(dir, "sqlite"), "sqlite")
	if err != nil {
		return err
	}
	defer cleanup()
	if err := cli(o.options, env, "setting", "set", "global_rate_limit", "0"); err != nil {
		return err
	}
	env = append(env, "GATEHOUSE_ODOO_URL="+stand, "GATEHOUSE_ODOO_DB=bench")
	gate, err := start(o.options, env)
	if err != nil {
		return err
	}
	defer gate.stop()
	direct := call{http.MethodPost, stand + "/json/2/res.partner/read", `{"ids":[7],"fields":["name","email","city","country_id"]}`}
	through := call{http.MethodGet, gate.url + "/api/v1/res.partner/7?fields=name,email,city,country_id", ""}
	native := call{http.MethodPost, gate.url + direct.url[len(stand):], direct.body}
	fmt.Println("| way | requests/s | p50 ms | p99 ms | errors |")
	fmt.Println("|---|---|---|---|---|")
	for _, way := range []struct {
		name string
		call call
	}{{"warm-up", through}, {"straight", direct}, {"REST through the gate", through}, {"JSON-2 through the gate", native}, {"straight again", direct}} {
		seconds := o.seconds
		if way.name == "warm-up" {
			seconds = 2
		}
		times, failed := way.call.load(o.rate, time.Duration(seconds)*time.Second)
		slices.Sort(times)
		at := func(q float64) float64 { return float64(times[int(q*float64(len(times)-1))].Microseconds()) / 1000 }
		fmt.Printf("| %s | %d | %.3f | %.3f | %d |\n", way.name, len(times)/seconds, at(0.5), at(0.99), failed)
	}
	return nil
}

// call is a request that is made over and over.
type call struct{ method, url, body string }

// load makes the call at a rate, whatever comes back, and gives how long each
// took from when it was due.
func (c call) load(rate int, length time.Duration) (times []time.Duration, failed int) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var all sync.WaitGroup
	begin := time.Now()
	for i := range rate * int(length/time.Second) {
		due := begin.Add(time.Duration(i) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(due))
		all.Go(func() {
			began := time.Now()
			err := c.once(client)
			took := time.Since(began)
			mu.Lock()
			defer mu.Unlock()
			times = append(times, took)
			if err != nil {
				failed++
			}
		})
	}
	all.Wait()
	return times, failed
}

func (c call) once(client *http.Client) error {
	req, err := http.NewRequest(c.method, c.url, strings.NewReader(c.body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+odooKey)
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	return nil
}

// standIn is an Odoo that knows one user and one record, and answers at once.
func standIn() (url string, err error) {
	fields, err := json.Marshal(standInFields())
	if err != nil {
		return "", err
	}
	answers := map[string][]byte{
		"/web/version":                   []byte(`{"version":"19.0","version_info":[19,0,0,"final",0,""]}`),
		"/json/2/res.users/context_get":  []byte(`{"lang":"en_US","tz":"UTC","uid":7}`),
		"/json/2/res.users/read":         []byte(`[{"id":7,"login":"bench","name":"Bench"}]`),
		"/json/2/res.partner/has_access": []byte(`true`),
		"/json/2/res.partner/fields_get": fields,
		"/json/2/res.partner/read": []byte(`[{"id":7,"name":"Deco Addict","email":"deco@example.com","city":"Ghent",` +
			`"country_id":[20,"Belgium"],"write_date":"2026-01-31 10:30:00"}]`),
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		answer, ok := answers[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			answer = []byte(`{"name":"werkzeug.exceptions.NotFound","message":"nothing","arguments":[],"context":{},"debug":""}`)
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.Copy(w, bytes.NewReader(answer))
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	return "http://" + listener.Addr().String(), nil
}

func standInFields() map[string]map[string]any {
	fields := map[string]map[string]any{"id": {"type": "integer", "string": "ID", "readonly": true, "store": true}}
	for _, name := range []string{"name", "email", "city"} {
		fields[name] = map[string]any{"type": "char", "string": name, "store": true}
	}
	fields["country_id"] = map[string]any{"type": "many2one", "relation": "res.country", "string": "Country", "store": true}
	fields["write_date"] = map[string]any{"type": "datetime", "string": "Last Updated on", "readonly": true, "store": true}
	return fields
}
