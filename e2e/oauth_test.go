//go:build e2e

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// oauthClient is what client create prints.
type oauthClient struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

func (s *site) createClient(t testing.TB, args ...string) (c oauthClient) {
	t.Helper()
	out := s.cli(t, append([]string{"client", "create", "--user", "admin", "--name", "bi"}, args...)...)
	if err := json.Unmarshal([]byte(out), &c); err != nil || !strings.HasPrefix(c.ID, "gw_") || len(c.Secret) != 32 {
		t.Fatalf("client create printed %q: %v", out, err)
	}
	return c
}

// token asks the token endpoint, 0 for the status of a refused connection.
func (c oauthClient) token(t testing.TB, url string) (status int, token string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url+"/api/oauth/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(c.ID+":"+c.Secret)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer.Token
}

// TestClientCommands works on clients while the server runs, which notices.
func TestClientCommands(t *testing.T) {
	for _, store := range stores {
		t.Run(store, func(t *testing.T) {
			s := newSiteFor(t, store)
			v := s.serve(t)
			c := s.createClient(t, "--scopes", "read,products_write", "--per-minute", "50", "--allowed-ips", "127.0.0.1,::1", "--token-lifetime", "60")
			status, token := c.token(t, v.url)
			if status != 200 {
				t.Fatalf("token: %d", status)
			}
			v.withToken(t, token).get("auth/me").ok(200).is("data.credential", "oauth2").is("data.scopes", []any{"products_write", "read"})
			rotated := c
			if err := json.Unmarshal([]byte(s.cli(t, "client", "rotate", c.ID)), &rotated); err != nil || rotated.ID != c.ID || rotated.Secret == c.Secret {
				t.Fatalf("rotated to %+v: %v", rotated, err)
			}
			if status, _ := c.token(t, v.url); status != 401 {
				t.Errorf("the old secret is answered %d", status)
			}
			if status, _ := rotated.token(t, v.url); status != 200 {
				t.Errorf("the new secret is answered %d", status)
			}
			v.withToken(t, token).get("ping").ok(200)
			s.cli(t, "client", "revoke", c.ID)
			within(t, notice, "the deactivated client's token is refused", func() bool {
				return v.withToken(t, token).get("ping").status == 401
			})
			if list := s.cli(t, "client", "list", "--json"); !strings.Contains(list, c.ID) || strings.Contains(list, "hash") || strings.Contains(list, rotated.Secret) {
				t.Errorf("client list: %s", list)
			}
			if got := s.run("", "client", "revoke", "gw_000000000000"); got.code != 1 || !strings.Contains(got.stderr, "There is no client") {
				t.Errorf("revoke of nobody: %+v", got)
			}
		})
	}
}

// installNode gets the packages of e2e/npm, or skips the test without npm.
func installNode(t *testing.T) {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	// npm writes the second one when it has installed what the first one says
	wanted, err := os.Stat("npm/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if has, err := os.Stat("npm/node_modules/.package-lock.json"); err != nil || has.ModTime().Before(wanted.ModTime()) {
		install := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		install.Dir = "npm"
		if out, err := install.CombinedOutput(); err != nil {
			t.Skipf("npm ci in e2e/npm: %v: %s", err, out)
		}
	}
}

// TestNodeClients runs OAuth2 clients of the npm registry against the binary.
func TestNodeClients(t *testing.T) {
	installNode(t)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	file := filepath.Join(t.TempDir(), "public.pem")
	if err := os.WriteFile(file, encode("PUBLIC KEY", public), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newSiteFor(t, "sqlite")
	s.env = append(s.env, "GATEHOUSE_TOKEN_SIGNING=ES256")
	v := s.serve(t)
	c := s.createClient(t, "--scopes", "read,write")
	signs := s.createClient(t, "--scopes", "read,write", "--public-key", file)
	node := exec.Command("node", "interop.mjs")
	node.Dir = "npm"
	node.Env = append(os.Environ(), "GATEHOUSE="+v.url, "CLIENT_ID="+c.ID, "CLIENT_SECRET="+c.Secret,
		"JWT_CLIENT_ID="+signs.ID, "JWT_PRIVATE_KEY="+string(encode("PRIVATE KEY", secret)))
	if out, err := node.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
