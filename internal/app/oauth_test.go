package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"gatehouse/internal/config"
	"gatehouse/internal/identity"
	"gatehouse/internal/sqldb/sqltest"
)

// gate is an app behind real HTTP, with an administrator signed in.
type gate struct {
	t     *testing.T
	app   *App
	url   string
	admin string // access token

	odoo   *gate             // that plays the Odoo, nil where there is none
	people map[int64]OdooKey // of it, by id there
}

// onStores runs a test against an app on each store.
func onStores(t *testing.T, fn func(t *testing.T, g *gate)) {
	t.Helper()
	for _, store := range sqltest.Dialects() {
		t.Run(store, func(t *testing.T) { fn(t, openGate(t, store, nil)) })
	}
}

// openGate starts an app on an empty store.
func openGate(t *testing.T, store string, change func(*config.Config)) *gate {
	t.Helper()
	cfg := config.Default()
	useStore(t, cfg, store)
	if change != nil {
		change(cfg)
	}
	a, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := a.Settings.Set(context.Background(), map[string]any{"global_rate_limit": json.Number("0")}); err != nil {
		t.Fatal(err)
	}
	handler, err := a.Handler()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(contract(t, handler))
	t.Cleanup(server.Close)
	g := &gate{t: t, app: a, url: server.URL}
	login := g.send("POST", "/api/v1/auth/login", `{"login":"admin","password":"secret"}`).want(200)
	g.admin = login.at("data", "access_token").(string)
	return g
}

// result is an answer.
type result struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	raw    string
	body   map[string]any
}

// send makes a request; headers are names and values in turn. A body that is no
// JSON is sent as a form.
func (g *gate) send(method, path, body string, headers ...string) *result {
	g.t.Helper()
	r, err := http.NewRequest(method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if strings.HasPrefix(body, "{") || strings.HasPrefix(body, "[") {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header[headers[i]] = append(r.Header[headers[i]], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	a := &result{t: g.t, what: method + " " + path + " " + body, status: res.StatusCode, header: res.Header, raw: string(raw)}
	if err := json.Unmarshal(raw, &a.body); err != nil {
		g.t.Fatalf("%s: %d %q: %v", a.what, a.status, raw, err)
	}
	return a
}

func (g *gate) asAdmin(method, path, body string) *result {
	g.t.Helper()
	return g.send(method, path, body, "Authorization", "Bearer "+g.admin)
}

func (a *result) want(status int) *result {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: %d %s, want %d", a.what, a.status, a.raw, status)
	}
	return a
}

func (a *result) at(path ...string) any {
	var v any = a.body
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// refused wants an error of RFC 6749 and nothing else.
func (a *result) refused(status int, code string) *result {
	a.t.Helper()
	text, _ := a.body["error_description"].(string)
	if a.status != status || a.body["error"] != code || text == "" || len(a.body) != 2 {
		a.t.Errorf("%s: %d %s, want %d %s", a.what, a.status, a.raw, status, code)
	}
	if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Pragma") != "no-cache" {
		a.t.Errorf("%s: may be cached: %v", a.what, a.header)
	}
	return a
}

// client makes a client through the API.
func (g *gate) client(values string) (row, id, secret string) {
	g.t.Helper()
	a := g.asAdmin("POST", "/api/v1/gateway.client", `{"name":"bi","user_id":2,`+values+`}`).want(201)
	n, _ := a.at("data", "id").(float64)
	id, _ = a.at("data", "client_id").(string)
	secret, _ = a.at("data", "secret").(string)
	if !strings.HasPrefix(id, "gw_") || len(id) != 15 || len(secret) != 32 {
		g.t.Fatalf("made %s", a.raw)
	}
	return jsonNumber(n), id, secret
}

func jsonNumber(n float64) string { b, _ := json.Marshal(n); return string(b) }

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
}

const grant = "grant_type=client_credentials"

func (g *gate) token(id, secret, scope string) string {
	g.t.Helper()
	a := g.send("POST", "/api/oauth/token", grant+"&scope="+url.QueryEscape(scope), "Authorization", basic(id, secret)).want(200)
	return a.body["access_token"].(string)
}

func TestTokenEndpoint(t *testing.T) {
	onStores(t, func(t *testing.T, g *gate) {
		row, id, secret := g.client(`"scopes":"read,write","token_lifetime":120`)
		form := url.Values{"client_id": {id}, "client_secret": {secret}}.Encode()
		for scope, want := range map[string]string{"": "read write", "read": "read", "write+read": "read write", "read+admin+bogus": "read"} {
			for _, a := range []*result{
				g.send("POST", "/api/oauth/token", grant+"&scope="+scope, "Authorization", basic(id, secret)).want(200),
				g.send("POST", "/api/oauth/token", grant+"&scope="+scope+"&"+form).want(200),
			} {
				if a.body["scope"] != want || a.body["token_type"] != "Bearer" || a.body["expires_in"] != 120.0 || len(a.body) != 4 ||
					a.header.Get("Cache-Control") != "no-store" || a.header.Get("Pragma") != "no-cache" || a.header.Get("X-Request-Id") == "" {
					t.Errorf("%s: %s %v", scope, a.raw, a.header)
				}
			}
		}
		good := basic(id, secret)
		ask := func(body string, headers ...string) *result {
			return g.send("POST", "/api/oauth/token", body, headers...)
		}
		ask(grant).refused(401, "invalid_client")
		if a := ask(grant, "Authorization", basic(id, "wrong")).refused(401, "invalid_client"); a.header.Get("WWW-Authenticate") != `Basic realm="gatehouse"` {
			t.Errorf("challenge %v", a.header)
		}
		ask(grant, "Authorization", basic("gw_000000000000", secret)).refused(401, "invalid_client")
		ask(grant, "Authorization", "Bearer "+g.admin).refused(401, "invalid_client")
		ask(grant, "Authorization", good, "Authorization", good).refused(400, "invalid_request")
		ask(grant+"&"+form, "Authorization", good).refused(400, "invalid_request")
		ask(grant+"&"+grant, "Authorization", good).refused(400, "invalid_request")
		ask("scope=read", "Authorization", good).refused(400, "invalid_request")
		ask("grant_type=password&username=admin&password=secret", "Authorization", good).refused(400, "unsupported_grant_type")
		ask("grant_type=authorization_code&code=x", "Authorization", good).refused(400, "unsupported_grant_type")
		ask("grant_type=refresh_token&refresh_token=x", "Authorization", good).refused(400, "unsupported_grant_type")
		ask(grant+"&scope=admin", "Authorization", good).refused(400, "invalid_scope")
		ask(grant+"&scope=delete+orders_write+bogus", "Authorization", good).refused(400, "invalid_scope")
		ask(grant+"&scope=read%0d%0aSet-Cookie:%20a=b", "Authorization", good).refused(400, "invalid_request")
		ask(`{"grant_type":"client_credentials"}`, "Authorization", good).refused(400, "invalid_request")
		g.send("POST", "/api/oauth/token?"+grant, grant, "Authorization", good).refused(400, "invalid_request")
		g.asAdmin("PATCH", "/api/v1/gateway.client/"+row, `{"active":false}`).want(200)
		ask(grant, "Authorization", good).refused(401, "invalid_client")
	})
}

func TestClientTokenAtWork(t *testing.T) {
	onStores(t, func(t *testing.T, g *gate) {
		row, id, secret := g.client(`"scopes":"read,products_write","limit_minute":4`)
		token := g.token(id, secret, "read")
		call := func(method, path, body string) *result {
			return g.send(method, path, body, "Authorization", "Bearer "+token)
		}
		if a := call("GET", "/api/v1/auth/me", "").want(200); a.at("data", "credential") != "oauth2" || a.at("data", "login") != "admin" {
			t.Errorf("%s", a.raw)
		}
		call("POST", "/api/v1/products", `{"name":"x"}`).want(403)
		call("GET", "/api/v1/gateway.client", "").want(403)
		call("GET", "/api/v1/products", "").want(200)
		if a := call("GET", "/api/v1/products", "").want(429); a.header.Get("RateLimit-Limit") != "4" {
			t.Errorf("%v", a.header)
		}
		g.asAdmin("PATCH", "/api/v1/gateway.client/"+row, `{"limit_minute":0,"allowed_ips":"198.51.100.0/24"}`).want(200)
		call("GET", "/api/v1/products", "").want(403)
		g.send("POST", "/api/oauth/token", grant, "Authorization", basic(id, secret)).refused(403, "unauthorized_client")
		g.asAdmin("PATCH", "/api/v1/gateway.client/"+row, `{"allowed_ips":"127.0.0.1"}`).want(200)
		call("GET", "/api/v1/products", "").want(200)

		// A new secret leaves tokens alone; the old secret is gone.
		rotated := g.asAdmin("POST", "/api/v1/gateway.client/"+row+"/rotate_secret", `{}`).want(200).at("data", "secret").(string)
		call("GET", "/api/v1/products", "").want(200)
		g.send("POST", "/api/oauth/token", grant, "Authorization", basic(id, secret)).refused(401, "invalid_client")
		other := g.token(id, rotated, "")
		g.send("POST", "/api/v1/auth/refresh", `{"refresh_token":"`+other+`"}`).want(401)
		g.send("POST", "/api/v1/auth/logout", `{}`, "Authorization", "Bearer "+other).want(400)

		tokens := g.asAdmin("GET", "/api/oauth/tokens?fields=kind,client_id,user_id&order=id", "").want(200)
		if list := tokens.body["data"].([]any); len(list) != 2 || list[0].(map[string]any)["kind"] != "client" {
			t.Fatalf("%s", tokens.raw)
		}
		first := jsonNumber(tokens.body["data"].([]any)[0].(map[string]any)["id"].(float64))
		g.asAdmin("POST", "/api/v1/gateway.token/"+first+"/revoke", `{}`).want(200)
		call("GET", "/api/v1/products", "").want(401)
		g.send("GET", "/api/v1/products", "", "Authorization", "Bearer "+other).want(200)
		g.asAdmin("DELETE", "/api/oauth/clients/"+row, "").want(200)
		g.send("GET", "/api/v1/products", "", "Authorization", "Bearer "+other).want(401)
		g.asAdmin("GET", "/api/oauth/tokens?fields=client_id", "").want(200) // the trail stays
		if n := g.asAdmin("GET", "/api/oauth/tokens", "").at("meta", "total"); n != 2.0 {
			t.Errorf("%v tokens are left of the trail", n)
		}
	})
}

func TestClientRecords(t *testing.T) {
	onStores(t, func(t *testing.T, g *gate) {
		made := g.asAdmin("POST", "/api/oauth/clients?fields=client_id,token_lifetime,active", `{"name":"a","user_id":2,"scopes":"read"}`).want(201)
		data := made.body["data"].(map[string]any)
		if len(data["secret"].(string)) != 32 || data["token_lifetime"] != 3600.0 || data["active"] != true || strings.Count(made.raw, `"client_id"`) != 1 {
			t.Errorf("%s", made.raw)
		}
		row := jsonNumber(data["id"].(float64))
		if at := made.header.Get("Location"); at != "/api/oauth/clients/"+row {
			t.Errorf("Location: %s", at)
		}
		many := g.asAdmin("POST", "/api/v1/gateway.client", `[{"name":"b","user_id":2,"scopes":"read"},{"name":"c","user_id":2,"scopes":"read"}]`).want(201)
		list := many.body["data"].([]any)
		if list[0].(map[string]any)["secret"] == list[1].(map[string]any)["secret"] {
			t.Errorf("%s", many.raw)
		}
		for _, path := range []string{"/api/oauth/clients", "/api/oauth/clients/" + row, "/api/v1/gateway.client"} {
			a := g.asAdmin("GET", path, "").want(200)
			if strings.Contains(a.raw, "secret") || strings.Contains(a.raw, "hash") {
				t.Errorf("%s: %s", path, a.raw)
			}
		}
		g.asAdmin("GET", "/api/oauth/clients?fields=secret_hash", "").want(400)
		g.asAdmin("GET", "/api/v1/gateway.client?domain=[('secret_hash','like','a')]", "").want(400)
		for _, body := range []string{
			`{"scopes":"nonsense here"}`, `{"scopes":"nothing_read"}`, `{"token_lifetime":0}`, `{"token_lifetime":604801}`, `{"allowed_ips":"x"}`,
			`{"limit_minute":-1}`, `{"client_id":"gw_0123456789ab"}`, `{"secret_hash":"x"}`, `{"public_key":"x"}`,
			`{"public_key":"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}`,
		} {
			g.asAdmin("PATCH", "/api/oauth/clients/"+row, body).want(400)
			whole := `{"name":"d","user_id":2,"scopes":"read",` + body[1:]
			g.asAdmin("POST", "/api/oauth/clients", whole).want(400)
		}
		rotated := g.asAdmin("POST", "/api/v1/gateway.client/"+row+"/rotate_secret", `{}`).want(200).at("data", "secret").(string)
		trail := g.asAdmin("GET", "/api/v1/gateway.audit?domain=[('model','=','gateway.client')]&limit=0", "").want(200)
		if n, _ := trail.at("meta", "total").(float64); n < 4 { // three creates and a rotation
			t.Errorf("the audit trail has %v entries: %s", n, trail.raw)
		}
		for _, hidden := range []string{rotated, identity.KeyHash(rotated), data["secret"].(string)} {
			if strings.Contains(trail.raw, hidden) {
				t.Errorf("a secret is in the audit trail: %s", trail.raw)
			}
		}
		_, id, secret := g.client(`"scopes":"read,write,delete"`)
		narrow := g.token(id, secret, "")
		for _, path := range []string{"/api/oauth/clients", "/api/oauth/clients/1", "/api/oauth/tokens"} {
			g.send("GET", path, "", "Authorization", "Bearer "+narrow).want(403)
			g.send("GET", path, "").want(401)
		}
		g.send("POST", "/api/v1/gateway.client/"+row+"/rotate_secret", `{}`, "Authorization", "Bearer "+narrow).want(403)
	})
}

func TestRevocationAndIntrospection(t *testing.T) {
	onStores(t, func(t *testing.T, g *gate) {
		_, id, secret := g.client(`"scopes":"read"`)
		_, other, otherSecret := g.client(`"scopes":"admin"`)
		token := g.token(id, secret, "")
		inspect := func(text string, headers ...string) *result {
			return g.send("POST", "/api/oauth/introspect", "token="+url.QueryEscape(text)+"&token_type_hint=access_token", headers...)
		}
		mine := []string{"Authorization", basic(id, secret)}
		a := inspect(token, mine...).want(200)
		if a.body["active"] != true || a.body["scope"] != "read" || a.body["client_id"] != id || a.body["username"] != "admin" || a.body["sub"] != "2" {
			t.Errorf("%s", a.raw)
		}
		inspect(token, "Authorization", "Bearer "+g.admin).want(200)
		for scopes, status := range map[string]int{"admin": 200, "read,write,delete": 403} {
			key, _, err := g.app.Identity.CreateKey(t.Context(), identity.KeySpec{UserID: 2, Name: "k", Scopes: scopes})
			if err != nil {
				t.Fatal(err)
			}
			inspect(token, "X-Api-Key", key).want(status)
		}
		if a := inspect(token).refused(401, "invalid_client"); a.header.Get("WWW-Authenticate") != "" {
			t.Errorf("%v", a.header)
		}
		inspect(token, "Authorization", "Bearer "+token).refused(403, "unauthorized_client")
		if a := inspect(token, "Authorization", "Bearer nonsense").refused(401, "invalid_client"); !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%v", a.header)
		}
		g.send("POST", "/api/oauth/introspect", "", mine...).refused(400, "invalid_request")
		inactive := func(text string) {
			t.Helper()
			if a := inspect(text, mine...).want(200); a.raw != "{\"active\":false}\n" {
				t.Errorf("%s", a.raw)
			}
		}
		inactive("nonsense")
		inactive(strings.Repeat("a", 5000))
		revoke := func(text string, headers ...string) *result {
			return g.send("POST", "/api/oauth/revoke", "token="+url.QueryEscape(text), headers...)
		}
		revoke(token).refused(401, "invalid_client")
		revoke(token, "Authorization", basic(other, otherSecret)).want(200) // not its own: nothing happens
		revoke("nonsense", mine...).want(200)
		revoke(g.admin, mine...).want(200)
		inspect(token, mine...).want(200)
		g.send("GET", "/api/v1/auth/me", "", "Authorization", "Bearer "+token).want(200)
		g.send("GET", "/api/v1/auth/me", "", "Authorization", "Bearer "+g.admin).want(200)
		revoke(token, mine...).want(200)
		revoke(token, mine...).want(200)
		inactive(token)
		g.send("GET", "/api/v1/auth/me", "", "Authorization", "Bearer "+token).want(401)
	})
}

// Refusals of the pipeline itself are written as RFC 6749 has it too.
func TestRefusalsOfThePipeline(t *testing.T) {
	onStores(t, func(t *testing.T, g *gate) {
		if err := g.app.Settings.Set(t.Context(), map[string]any{"global_rate_limit": json.Number("2")}); err != nil {
			t.Fatal(err)
		}
		var last *result
		for range 3 {
			last = g.send("POST", "/api/oauth/token", grant)
		}
		if last.refused(429, "temporarily_unavailable"); last.header.Get("Retry-After") == "" {
			t.Errorf("%v", last.header)
		}
	})
}

func TestMetadataAndKeys(t *testing.T) {
	signing := func(alg config.Signing, public config.PublicURL) func(*config.Config) {
		return func(cfg *config.Config) { cfg.Server.TokenSigning, cfg.Server.PublicURL = alg, public }
	}
	onStores(t, func(t *testing.T, g *gate) {
		a := g.send("GET", "/.well-known/oauth-authorization-server", "").want(200)
		if a := g.send("GET", "/.well-known/oauth-authorization-server", "", "X-Forwarded-Proto", "https"); a.body["issuer"] != g.url {
			t.Errorf("a stranger says what the scheme is: %s", a.raw)
		}
		if a.body["issuer"] != g.url || a.body["token_endpoint"] != g.url+"/api/oauth/token" {
			t.Errorf("%s", a.raw)
		}
		if a := g.send("GET", "/.well-known/jwks.json", "").want(200); a.raw != "{\"keys\":[]}\n" {
			t.Errorf("%s", a.raw)
		}
	})
	trusting := func(cfg *config.Config) {
		cfg.Server.TrustedProxies = config.Networks{netip.MustParsePrefix("127.0.0.0/8")}
	}
	t.Run("behind a proxy", func(t *testing.T) {
		g := openGate(t, "sqlite", trusting)
		a := g.send("GET", "/.well-known/oauth-authorization-server", "", "X-Forwarded-Proto", "https").want(200)
		if a.body["issuer"] != strings.Replace(g.url, "http:", "https:", 1) {
			t.Errorf("behind a proxy: %s", a.raw)
		}
	})
	for _, alg := range []config.Signing{"ES256", "EdDSA"} {
		t.Run(string(alg), func(t *testing.T) {
			g := openGate(t, "sqlite", signing(alg, "https://api.example.com"))
			if a := g.send("GET", "/.well-known/oauth-authorization-server", "").want(200); a.body["issuer"] != "https://api.example.com" {
				t.Errorf("%s", a.raw)
			}
			keys := g.send("GET", "/.well-known/jwks.json", "").want(200)
			key := keys.body["keys"].([]any)[0].(map[string]any)
			if key["alg"] != string(alg) || key["use"] != "sig" || key["d"] != nil {
				t.Errorf("%s", keys.raw)
			}
			_, id, secret := g.client(`"scopes":"read"`)
			token, _, err := jwt.NewParser().ParseUnverified(g.token(id, secret, ""), jwt.MapClaims{})
			if err != nil || token.Method.Alg() != string(alg) || token.Header["kid"] != key["kid"] {
				t.Errorf("%v %v", token.Header, err)
			}
		})
	}
}

func TestAssertionOverHTTP(t *testing.T) {
	onStores(t, func(t *testing.T, g *gate) {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKIXPublicKey(private.Public())
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
		if err != nil {
			t.Fatal(err)
		}
		_, id, _ := g.client(`"scopes":"read","public_key":` + string(text))
		assertion, err := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
			"iss": id, "sub": id, "aud": g.url + "/api/oauth/token", "jti": "1", "exp": time.Now().Add(time.Minute).Unix(),
		}).SignedString(private)
		if err != nil {
			t.Fatal(err)
		}
		form := grant + "&" + url.Values{
			"client_assertion": {assertion}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		}.Encode()
		g.send("POST", "/api/oauth/token", form).want(200)
		g.send("POST", "/api/oauth/token", form).refused(401, "invalid_client")
	})
}

// The client that most Go programs use gets along with us, both ways.
func TestGoClient(t *testing.T) {
	onStores(t, func(t *testing.T, g *gate) {
		_, id, secret := g.client(`"scopes":"read,write"`)
		for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleAutoDetect, oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
			cfg := clientcredentials.Config{
				ClientID: id, ClientSecret: secret, TokenURL: g.url + "/api/oauth/token", Scopes: []string{"read"}, AuthStyle: style,
			}
			token, err := cfg.Token(t.Context())
			if err != nil || token.Extra("scope") != "read" || token.Type() != "Bearer" || time.Until(token.Expiry) < 59*time.Minute {
				t.Fatalf("%v: %+v %v", style, token, err)
			}
			res, err := cfg.Client(t.Context()).Get(g.url + "/api/v1/res.partner?limit=1")
			if err != nil || res.StatusCode != http.StatusOK {
				t.Fatalf("%v %v", res, err)
			}
			_ = res.Body.Close()
			cfg.ClientSecret = "wrong"
			_, err = cfg.Token(t.Context())
			if refused, ok := errors.AsType[*oauth2.RetrieveError](err); !ok || refused.ErrorCode != "invalid_client" {
				t.Errorf("%v: %v", style, err)
			}
		}
	})
}
