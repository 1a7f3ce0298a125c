package identity

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// forgery is a token that an attacker may send, and what he is told.
type forgery struct {
	name, token, want string
}

func TestForgedTokens(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		good := h.login("marc")
		for range 2 { // also while the real one is cached
			for _, f := range h.forgeries(good) {
				_, err := h.bearer(f.token)
				if !fault.Is(err, fault.Unauthenticated) || fault.From(err).Message != f.want {
					t.Errorf("%s: got %v, want %q", f.name, err, f.want)
				}
			}
			h.accepts(h.bearer(good.AccessToken))
		}
	})
}

func (h *house) forgeries(good *TokenPair) []forgery {
	parts := strings.Split(good.AccessToken, ".")
	encode := base64.RawURLEncoding.EncodeToString
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		h.t.Fatal(err)
	}
	key := h.signing.ring.Load().current
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		h.t.Fatal(err)
	}
	// made signs claims that are Marc's but for a change.
	made := func(method jwt.SigningMethod, secret any, header map[string]any, change func(*claims)) string {
		c := newClaims(accessToken, &User{ID: marc, PasswordHash: h.hashOf(marc)}, "f", h.clock.Now())
		if change != nil {
			change(c)
		}
		token := jwt.NewWithClaims(method, c)
		token.Header["kid"] = key.kid
		for name, v := range header {
			if token.Header[name] = v; v == nil {
				delete(token.Header, name)
			}
		}
		text, err := token.SignedString(secret)
		if err != nil {
			h.t.Fatal(err)
		}
		return text
	}
	changed := func(change func(*claims)) string { return made(jwt.SigningMethodHS256, key.secret, nil, change) }
	if _, err := h.bearer(changed(nil)); err != nil {
		h.t.Fatalf("the pattern itself is wrong: %v", err)
	}
	const invalid = "Invalid token"
	admin := strings.Replace(string(payload), `"sub":"3"`, `"sub":"2"`, 1)
	if admin == string(payload) {
		h.t.Fatalf("no sub in %s", payload)
	}
	flipped := []byte(parts[2])
	other := byte('A') // another letter, but one that a token may have
	if flipped[0] == other {
		other = 'B'
	}
	flipped[0] = other
	// The last of 43 characters has two bits that decode to nothing.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	loose := []byte(parts[2])
	loose[42] = alphabet[strings.IndexByte(alphabet, loose[42])|1]
	unsigned := func(alg string) string {
		return encode([]byte(`{"alg":"`+alg+`","typ":"JWT","kid":"`+key.kid+`"}`)) + "." + parts[1] + "."
	}
	withHeader := func(secret any, header map[string]any) string {
		return made(jwt.SigningMethodHS256, secret, header, nil)
	}
	own := []byte("a secret of the attacker, long enough")
	jwk := map[string]any{"kty": "oct", "k": encode(own), "kid": key.kid}
	return append(kids(withHeader, key.secret), []forgery{
		{"alg nOnE", unsigned("nOnE"), invalid},
		{"alg NONE", unsigned("NONE"), invalid},
		{"alg none and a signature", unsigned("none") + parts[2], invalid},
		{"alg of an empty text", unsigned(""), invalid},
		{"HS256 without a signature", unsigned("HS256"), invalid},
		{"hs256", unsigned("hs256") + parts[2], invalid},
		{"alg given twice", encode([]byte(`{"alg":"none","alg":"HS256","kid":"`+key.kid+`"}`)) + "." + parts[1] + ".", invalid},
		{"jwk of the attacker", withHeader(own, map[string]any{"jwk": jwk}), invalid},
		{"jku of the attacker", withHeader(own, map[string]any{"jku": "https://evil.example/jwks.json"}), invalid},
		{"x5u of the attacker", withHeader(own, map[string]any{"x5u": "https://evil.example/cert.pem"}), invalid},
		{"crit of nothing", withHeader(key.secret, map[string]any{"crit": []string{}}), invalid},
		{"crit b64", withHeader(key.secret, map[string]any{"crit": []string{"b64"}, "b64": false}), invalid},
		{"nested", withHeader(own, map[string]any{"cty": "JWT"}), invalid},
		{"a user too large", changed(func(c *claims) { c.Subject = "99999999999999999999" }), invalid},
		{"a user below zero", changed(func(c *claims) { c.Subject = "-3" }), invalid},
		{"SQL as a user", changed(func(c *claims) { c.Subject = "3 or 1=1" }), invalid},
		{"alg none", made(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, nil), invalid},
		{"alg None", encode([]byte(`{"alg":"None","kid":"`+key.kid+`"}`)) + "." + parts[1] + ".", invalid},
		{"alg nOnE", encode([]byte(`{"alg":"nOnE","kid":"`+key.kid+`"}`)) + "." + parts[1] + ".", invalid},
		{"two algs", encode([]byte(`{"alg":"HS256","alg":"none","kid":"`+key.kid+`"}`)) + "." + parts[1] + ".", invalid},
		{"own key inside", made(jwt.SigningMethodHS256, []byte("mine"), map[string]any{"jwk": map[string]any{"kty": "oct", "k": encode([]byte("mine"))}}, nil), invalid},
		{"own key elsewhere", made(jwt.SigningMethodHS256, []byte("mine"), map[string]any{"jku": "http://127.0.0.1:1/keys", "x5u": "http://127.0.0.1:1/cert"}, nil), invalid},
		{"kid of a path", made(jwt.SigningMethodHS256, []byte{}, map[string]any{"kid": "../../../../dev/null"}, nil), invalid},
		{"kid of a statement", made(jwt.SigningMethodHS256, []byte("a"), map[string]any{"kid": "x' union select 'a' --"}, nil), invalid},
		{"kid with NUL", made(jwt.SigningMethodHS256, key.secret, map[string]any{"kid": key.kid + "\x00"}, nil), invalid},
		{"kid that is no UTF-8", encode([]byte("{\"alg\":\"HS256\",\"kid\":\"\xff\xfe\"}")) + "." + parts[1] + "." + parts[2], invalid},
		{"deep header", encode([]byte(strings.Repeat(`{"a":`, 300)+"1"+strings.Repeat("}", 300))) + "." + parts[1] + "." + parts[2], invalid},
		{"dot at the end", good.AccessToken + ".", invalid},
		{"padded parts", parts[0] + "==." + parts[1] + "==." + parts[2] + "=", invalid},
		{"line inside", parts[0] + "\n." + parts[1] + "." + parts[2], invalid},
		{"a second sub", parts[0] + "." + encode([]byte(strings.TrimSuffix(string(payload), "}")+`,"sub":"2"}`)) + "." + parts[2], invalid},
		{"refresh made to look like a client's", changed(func(c *claims) { c.Type = clientToken }), invalid},
		{"no alg", encode([]byte(`{"kid":"`+key.kid+`"}`)) + "." + parts[1] + "." + parts[2], invalid},
		{"HS384", made(jwt.SigningMethodHS384, key.secret, nil, nil), invalid},
		{"HS512", made(jwt.SigningMethodHS512, key.secret, nil, nil), invalid},
		{"RS256", made(jwt.SigningMethodRS256, private, nil, nil), invalid},
		{"another secret", made(jwt.SigningMethodHS256, []byte("guessed"), nil, nil), invalid},
		{"empty secret", made(jwt.SigningMethodHS256, []byte{}, nil, nil), invalid},
		{"unknown kid", made(jwt.SigningMethodHS256, key.secret, map[string]any{"kid": "0000"}, nil), invalid},
		{"no kid", made(jwt.SigningMethodHS256, key.secret, map[string]any{"kid": nil}, nil), invalid},
		{"kid of another type", made(jwt.SigningMethodHS256, key.secret, map[string]any{"kid": 7}, nil), invalid},
		{"crit", made(jwt.SigningMethodHS256, key.secret, map[string]any{"crit": []string{"x"}}, nil), invalid},
		{"changed payload", parts[0] + "." + encode([]byte(admin)) + "." + parts[2], invalid},
		{"changed signature", parts[0] + "." + parts[1] + "." + string(flipped), invalid},
		{"signature of another spelling", parts[0] + "." + parts[1] + "." + string(loose), invalid},
		{"short signature", parts[0] + "." + parts[1] + "." + parts[2][:20], invalid},
		{"no signature", parts[0] + "." + parts[1] + ".", invalid},
		{"two parts", parts[0] + "." + parts[1], invalid},
		{"four parts", good.AccessToken + "." + parts[2], invalid},
		{"padded", good.AccessToken + "=", invalid},
		{"garbage", "a.b.c", invalid},
		{"dots", "..", invalid},
		{"not a jwt", "7$0123456789", invalid},
		{"long", good.AccessToken + strings.Repeat("A", maxToken), invalid},
		{"refresh used as access", good.RefreshToken, "Invalid token: an access token is needed"},
		{"another issuer", changed(func(c *claims) { c.Issuer = "somebody" }), invalid},
		{"no issuer", changed(func(c *claims) { c.Issuer = "" }), invalid},
		{"no expiry", changed(func(c *claims) { c.ExpiresAt = nil }), invalid},
		{"no type", changed(func(c *claims) { c.Type = "" }), invalid},
		{"another type", changed(func(c *claims) { c.Type = "id" }), invalid},
		{"no id", changed(func(c *claims) { c.ID = "" }), invalid},
		{"no family", changed(func(c *claims) { c.Family = "" }), invalid},
		{"no user", changed(func(c *claims) { c.Subject = "" }), invalid},
		{"user 0", changed(func(c *claims) { c.Subject = "0" }), invalid},
		{"user by name", changed(func(c *claims) { c.Subject = "marc" }), invalid},
		{"a user who is not", changed(func(c *claims) { c.Subject = "99" }), "The user of this credential is not active"},
		{"an archived user", changed(func(c *claims) { c.Subject = "4" }), "The user of this credential is not active"},
		{"another password", changed(func(c *claims) { c.Version = "0123456789abcdef" }), "Token has been revoked"},
		{"from the future", changed(func(c *claims) { c.IssuedAt = jwt.NewNumericDate(h.clock.Now().Add(time.Hour)) }), invalid},
		{"expired", changed(func(c *claims) { c.ExpiresAt = jwt.NewNumericDate(h.clock.Now()) }), "Token has expired"},
	}...)
}

// kids are tokens whose key is said to be something else than ours, signed with
// our secret and with what a careless look-up would find.
func kids(withHeader func(secret any, header map[string]any) string, secret []byte) []forgery {
	var all []forgery
	for _, kid := range []string{
		"", " ", "../../../../dev/null", "/dev/null", "file:///dev/null", "' or '1'='1", "' union select '' --", "x'; drop table gateway_signing_key; --",
		"\x00", "%00", "*", "$(id)", "|id", strings.Repeat("k", 2000),
	} {
		for _, s := range [][]byte{secret, {}, {0}} {
			all = append(all, forgery{fmt.Sprintf("kid %.30q", kid), withHeader(s, map[string]any{"kid": kid}), "Invalid token"})
		}
	}
	return append(all,
		forgery{"kid as a list", withHeader(secret, map[string]any{"kid": []string{"x"}}), "Invalid token"},
		forgery{"kid as an object", withHeader(secret, map[string]any{"kid": map[string]any{"$ne": ""}}), "Invalid token"})
}

// A user who is deleted takes his credentials along, also those in memory.
func TestDeletedUser(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		token := h.login("marc").AccessToken
		key, _ := h.key(nil)
		h.accepts(h.bearer(token))
		owner := h.accepts(h.who("X-Api-Key", key)).UserID
		for _, id := range []int64{marc, owner} {
			for _, table := range []string{"gateway_key", "gateway_token", "gateway_profile"} {
				h.exec(`delete from `+table+` where user_id = $1`, id) // as the foreign key does
			}
			h.change([]string{UsersChanged, KeysChanged}, `delete from res_users where id = $1`, id)
		}
		_, err := h.bearer(token)
		h.refuses("The user of this credential is not active", err)
		_, err = h.who("X-Api-Key", key)
		h.refuses("Invalid API key", err)
	})
}

func (h *house) hashOf(id int64) string {
	u, err := h.users.ByID(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return u.PasswordHash
}

func TestTokenExpires(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		token := h.login("marc").AccessToken
		h.clock.Pass(accessLife - time.Second)
		h.accepts(h.bearer(token)) // and is cached
		h.clock.Pass(time.Second)
		_, err := h.bearer(token)
		h.refuses("Token has expired", err)
	})
}

func TestHeaders(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		token := h.login("marc").AccessToken
		key, _ := h.key(nil)
		const malformed = "Malformed Authorization header: expected 'Authorization: Bearer <access token>'"
		const malformedKey = "Malformed X-API-Key header: expected the 64 characters of an API key"
		for _, test := range []struct {
			name   string
			header http.Header
			kind   fault.Kind // Internal: none
			want   string
		}{
			{"nothing", http.Header{}, fault.Unauthenticated, "Authentication required"},
			{"token", http.Header{"Authorization": {"Bearer " + token}}, 0, ""},
			{"token, odd case", http.Header{"Authorization": {"bEARER   " + token + " "}}, 0, ""},
			{"key", http.Header{"X-Api-Key": {key}}, 0, ""},
			{"both", http.Header{"Authorization": {"Bearer " + token}, "X-Api-Key": {key}}, fault.BadRequest, "Both Authorization and X-API-Key are given: send one of them"},
			{"empty", http.Header{"Authorization": {""}}, fault.Unauthenticated, malformed},
			{"no token", http.Header{"Authorization": {"Bearer "}}, fault.Unauthenticated, malformed},
			{"only spaces", http.Header{"Authorization": {"Bearer    "}}, fault.Unauthenticated, malformed},
			{"basic", http.Header{"Authorization": {"Basic bWFyYzptYXJj"}}, fault.Unauthenticated, malformed},
			{"token alone", http.Header{"Authorization": {token}}, fault.Unauthenticated, malformed},
			{"two tokens", http.Header{"Authorization": {"Bearer a, Bearer b"}}, fault.Unauthenticated, malformed},
			{"two headers", http.Header{"Authorization": {"Bearer " + token, "Bearer " + token}}, fault.Unauthenticated, malformed},
			{"empty key", http.Header{"X-Api-Key": {""}}, fault.Unauthenticated, malformedKey},
			{"two keys", http.Header{"X-Api-Key": {key, key}}, fault.Unauthenticated, malformedKey},
			{"short key", http.Header{"X-Api-Key": {key[:63]}}, fault.Unauthenticated, malformedKey},
			{"odd key", http.Header{"X-Api-Key": {key[:63] + "!"}}, fault.Unauthenticated, malformedKey},
			{"unknown key", http.Header{"X-Api-Key": {strings.Repeat("a", 64)}}, fault.Unauthenticated, "Invalid API key"},
			{"key as a token", http.Header{"Authorization": {"Bearer " + key}}, fault.Unauthenticated, "Invalid token"},
		} {
			_, err := h.Identify(t.Context(), test.header, here.IP)
			if test.want == "" {
				if err != nil {
					t.Errorf("%s: %v", test.name, err)
				}
				continue
			}
			if !fault.Is(err, test.kind) || fault.From(err).Message != test.want {
				t.Errorf("%s: got %v, want %q", test.name, err, test.want)
			}
		}
	})
}
