//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestWebhooks: a webhook made on the command line of a running server tells of
// a change over the API within a second, through a rotation of its secret, and
// the reference library of Standard Webhooks verifies the call.
func TestWebhooks(t *testing.T) {
	for _, store := range stores {
		t.Run(store, func(t *testing.T) {
			type call struct {
				header http.Header
				body   string
			}
			calls := make(chan call, 10)
			far := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				text, _ := io.ReadAll(r.Body)
				calls <- call{r.Header, string(text)}
			}))
			defer far.Close()
			s := newSiteFor(t, store)
			s.refuses(t, 1, "GATEHOUSE_WEBHOOK_ALLOW_NETWORKS", "webhook", "create", "--name", "x", "--model", "res.partner", "--url", far.URL)
			s.env = append(s.env, "GATEHOUSE_WEBHOOK_ALLOW_NETWORKS=127.0.0.0/8")
			v := s.serve(t)
			var hook struct {
				ID     int    `json:"id"`
				Secret string `json:"secret"`
			}
			s.cliJSON(t, &hook, "webhook", "create", "--name", "crm", "--model", "res.partner", "--url", far.URL, "--header", "X-Token: abc, def", "--json")
			id := fmt.Sprint(hook.ID)
			first := hook.Secret
			s.cliJSON(t, &hook, "webhook", "rotate", id, "--json")
			time.Sleep(time.Second) // what the command line changes holds in the server after a second
			key := strings.TrimSpace(s.cli(t, "key", "create", "--user", "admin", "--name", "crm", "--scopes", "read,write"))
			partner := v.withKey(t, key).post("res.partner", map[string]any{"name": "Acme Corp"}).ok(201).id()
			var got call
			select {
			case got = <-calls:
			case <-time.After(2 * time.Second):
				t.Fatal("no call came")
			}
			if !strings.HasPrefix(got.body, fmt.Sprintf(`{"action":"create","model":"res.partner","record":{"id":%d,`, partner)) || got.header.Get("X-Token") != "abc, def" {
				t.Errorf("%v %s", got.header, got.body)
			}
			if list := s.cli(t, "webhook", "list", "--json"); strings.Contains(list, "whsec_") || !strings.Contains(list, far.URL) {
				t.Errorf("webhook list: %s", list)
			}
			s.cli(t, "webhook", "test", id)
			if test := <-calls; !strings.HasPrefix(test.body, `{"action":"test"`) {
				t.Errorf("test event %s", test.body)
			}
			verifyWithNode(t, []string{first, hook.Secret}, got.header, got.body)
			s.cli(t, "webhook", "delete", id)
		})
	}
}

func verifyWithNode(t *testing.T, secrets []string, header http.Header, body string) {
	t.Helper()
	installNode(t)
	headers := map[string]string{}
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		headers[name] = header.Get(name)
	}
	in, err := json.Marshal(map[string]any{"secrets": secrets, "headers": headers, "body": body})
	if err != nil {
		t.Fatal(err)
	}
	node := exec.Command("node", "webhook.mjs")
	node.Dir, node.Env, node.Stdin = "npm", os.Environ(), bytes.NewReader(in)
	if out, err := node.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
