package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

const tokenEndpoint = "https://api.example.com/api/oauth/token"

// keyPair is a client's.
type keyPair struct {
	method  jwt.SigningMethod
	private crypto.Signer
	public  string // PEM
}

func pairOf(t testing.TB, method jwt.SigningMethod, private crypto.Signer, err error) keyPair {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return keyPair{method, private, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))}
}

func ecPair(t testing.TB) keyPair {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return pairOf(t, jwt.SigningMethodES256, private, err)
}

// assert signs an assertion that is right but for a change.
func (h *house) assert(pair keyPair, client string, change func(*jwt.Token, jwt.MapClaims)) string {
	h.t.Helper()
	said := jwt.MapClaims{
		"iss": client, "sub": client, "aud": tokenEndpoint, "jti": clock.RandomHex(16),
		"exp": h.clock.Now().Add(time.Minute).Unix(), "iat": h.clock.Now().Unix(),
	}
	token := jwt.NewWithClaims(pair.method, said)
	if change != nil {
		change(token, said)
	}
	text, err := token.SignedString(pair.private)
	if err != nil {
		h.t.Fatal(err)
	}
	return text
}

func (s *Service) asserted(t *testing.T, id, assertion string) error {
	t.Helper()
	_, err := s.AuthenticateAssertion(t.Context(), id, assertion, []string{tokenEndpoint, "https://api.example.com"}, here)
	return err
}

// An assertion works once, on any node, with keys of every kind.
func TestAssertion(t *testing.T) {
	_, ed, edErr := ed25519.GenerateKey(rand.Reader)
	rsaKey, rsaErr := rsa.GenerateKey(rand.Reader, 2048)
	p384, p384Err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	pairs := []keyPair{
		ecPair(t), pairOf(t, jwt.SigningMethodEdDSA, ed, edErr), pairOf(t, jwt.SigningMethodRS256, rsaKey, rsaErr),
		pairOf(t, jwt.SigningMethodPS512, rsaKey, rsaErr), pairOf(t, jwt.SigningMethodES384, p384, p384Err),
	}
	sqltest.EachPair(t, func(t *testing.T, db, second sqldb.DB) {
		h := buildPair(t, db, second)
		other := h.node()
		for _, pair := range pairs {
			id, _ := h.client(map[string]any{"public_key": pairs[0].public + pair.public})
			for _, audience := range []any{tokenEndpoint, "https://api.example.com", []string{"x", tokenEndpoint}} {
				text := h.assert(pair, id, func(_ *jwt.Token, c jwt.MapClaims) { c["aud"] = audience })
				if err := h.asserted(t, "", text); err != nil {
					t.Fatalf("%s for %v: %v", pair.method.Alg(), audience, err)
				}
				for _, node := range []*Service{other, h.Service} {
					err := node.asserted(t, id, text)
					h.refuses("The assertion is refused: its jti was used before", err)
				}
			}
		}
		// Of two nodes that get it at once, one takes it.
		id, _ := h.client(map[string]any{"public_key": pairs[0].public})
		text := h.assert(pairs[0], id, nil)
		var taken [2]bool
		var both sync.WaitGroup
		for i, node := range []*Service{h.Service, other} {
			both.Go(func() { taken[i] = node.asserted(t, id, text) == nil })
		}
		both.Wait()
		if taken[0] == taken[1] {
			t.Errorf("taken: %v", taken)
		}
		// Another client may use the same jti.
		same := func(_ *jwt.Token, c jwt.MapClaims) { c["jti"] = "1" }
		sister, _ := h.client(map[string]any{"public_key": pairs[0].public})
		for _, client := range []string{id, sister} {
			if err := h.asserted(t, client, h.assert(pairs[0], client, same)); err != nil {
				t.Error(err)
			}
		}
		h.clock.Pass(assertionLife + 8*24*time.Hour)
		if _, err := h.VacuumTokens(t.Context()); err != nil || h.number(`select count(*) from gateway_assertion`) != 0 {
			t.Errorf("used assertions stay: %v", err)
		}
	})
}

func TestAssertionRefuses(t *testing.T) {
	mine, stranger := ecPair(t), ecPair(t)
	type change = func(*jwt.Token, jwt.MapClaims)
	set := func(name string, v any) change {
		return func(_ *jwt.Token, c jwt.MapClaims) {
			if c[name] = v; v == nil {
				delete(c, name)
			}
		}
	}
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		id, _ := h.client(map[string]any{"public_key": mine.public})
		keyless, _ := h.client(nil)
		idle, _ := h.client(map[string]any{"public_key": mine.public, "active": false})
		damaged, _ := h.client(map[string]any{"public_key": "nonsense"})
		at := func(d time.Duration) int64 { return h.clock.Now().Add(d).Unix() }
		forged := func(method jwt.SigningMethod, with any) string {
			text, err := jwt.NewWithClaims(method, jwt.MapClaims{
				"iss": id, "sub": id, "aud": tokenEndpoint, "jti": "x", "exp": at(time.Minute),
			}).SignedString(with)
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		good := h.assert(mine, id, nil)
		const failed, refused = "Client authentication failed", "The assertion is refused: "
		for name, test := range map[string]struct{ id, text, want string }{
			"another key":           {id, h.assert(stranger, id, nil), failed},
			"another client's id":   {keyless, good, failed},
			"iss is another":        {id, h.assert(mine, id, set("iss", keyless)), failed},
			"no iss":                {id, h.assert(mine, id, set("iss", nil)), failed},
			"a client without key":  {"", h.assert(mine, keyless, nil), failed},
			"a client that is idle": {"", h.assert(mine, idle, nil), failed},
			"a damaged key":         {"", h.assert(mine, damaged, nil), failed},
			"nobody":                {"", h.assert(mine, "gw_000000000000", nil), failed},
			"HS256 with the PEM":    {id, forged(jwt.SigningMethodHS256, []byte(mine.public)), failed},
			"none":                  {id, forged(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType), failed},
			"tampered":              {id, good[:len(good)-6] + "AAAAAA", failed},
			"no signature":          {id, good[:strings.LastIndex(good, ".")+1], failed},
			"garbage":               {id, "a.b.c", failed},
			"empty":                 {id, "", failed},
			"long":                  {id, good + strings.Repeat("A", maxToken), failed},
			"crit":                  {id, h.assert(mine, id, func(k *jwt.Token, _ jwt.MapClaims) { k.Header["crit"] = []string{"x"} }), failed},
			"another audience":      {id, h.assert(mine, id, set("aud", "https://other.example.com")), refused + "aud must be"},
			"no audience":           {id, h.assert(mine, id, set("aud", nil)), refused + "aud must be"},
			"no exp":                {id, h.assert(mine, id, set("exp", nil)), refused + "exp is missing"},
			"expired":               {id, h.assert(mine, id, set("exp", at(0))), refused + "it has expired"},
			"too far ahead":         {id, h.assert(mine, id, set("exp", at(2*time.Hour))), refused + "exp is more than"},
			"not yet":               {id, h.assert(mine, id, set("nbf", at(time.Hour))), refused + "it is not valid yet"},
			"from the future":       {id, h.assert(mine, id, set("iat", at(time.Hour))), refused + "it is not valid yet"},
			"no jti":                {id, h.assert(mine, id, set("jti", nil)), refused + "jti must have"},
			"a long jti":            {id, h.assert(mine, id, set("jti", strings.Repeat("x", 257))), refused + "jti must have"},
		} {
			h.attempts = newAttempts()
			err := h.asserted(t, test.id, test.text)
			if !fault.Is(err, fault.Unauthenticated) || !strings.HasPrefix(fault.From(err).Message, test.want) {
				t.Errorf("%s: %v, want %q", name, err, test.want)
			}
			if h.attempts.accounts.entries == nil || len(h.attempts.accounts.entries) != 1 {
				t.Errorf("%s is not counted", name)
			}
		}
		if err := h.asserted(t, id, good); err != nil {
			t.Errorf("the pattern itself: %v", err)
		}
		for range accountAttempts {
			_ = h.asserted(t, id, h.assert(stranger, id, nil))
		}
		if err := h.asserted(t, id, h.assert(mine, id, nil)); !fault.Is(err, fault.RateLimited) {
			t.Errorf("after many failures: %v", err)
		}
	})
}

func FuzzReadAssertion(f *testing.F) {
	f.Add("", "a.b.c")
	f.Add("gw_000000000000", "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhIiwic3ViIjoiYSJ9.AAAA")
	f.Add("", "eyJhbGciOiJub25lIn0.eyJpc3MiOiJhIiwic3ViIjoiYSJ9.")
	f.Add("", "eyJhbGciOiJFZERTQSIsImNyaXQiOltdfQ.eyJpc3MiOiJhIiwic3ViIjoiYSIsImF1ZCI6WzFdfQ.")
	f.Fuzz(func(t *testing.T, id, text string) {
		a, err := readAssertion(id, text)
		if (a == nil) != (err != nil) {
			t.Fatalf("%v %v", a, err)
		}
		if a != nil && (a.Subject == "" || a.proves(nil) == nil) {
			t.Fatal("nobody has proved anything")
		}
	})
}
