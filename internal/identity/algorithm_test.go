package identity

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"gatehouse/internal/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

func algOf(t *testing.T, token string) string {
	t.Helper()
	parsed, _, err := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{})
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Method.Alg()
}

// signingWith starts a node that signs with the algorithm.
func (h *house) signingWith(alg string) *Service {
	h.t.Helper()
	s, err := New(h.t.Context(), h.db, NewUsers(h.db), Options{Clock: h.clock, Algorithm: alg})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = s.Close(h.t.Context()) })
	return s
}

// Each change of the algorithm makes a new key; tokens of the old one hold.
func TestAlgorithms(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		old := []string{h.login("marc").AccessToken}
		for i, alg := range []string{EdDSA, ES256, HS256, ES256} {
			s := h.signingWith(alg)
			pair, _, err := s.Login(t.Context(), "marc", "marc", here)
			if err != nil {
				t.Fatal(err)
			}
			if got := algOf(t, pair.AccessToken); got != alg {
				t.Errorf("signed with %s, want %s", got, alg)
			}
			old = append(old, pair.AccessToken)
			for _, token := range old {
				h.accepts(s.identifyToken(t.Context(), token, h.clock.Now()))
				h.accepts(h.bearer(token)) // the first node, which was told nothing
			}
			if _, err := s.Refresh(t.Context(), pair.RefreshToken, here); err != nil {
				t.Errorf("refresh: %v", err)
			}
			h.signingWith(alg)
			h.signingWith("")
			if n := h.number(`select count(*) from gateway_signing_key`); n != int64(i+2) {
				t.Errorf("the same algorithm again: %d keys", n)
			}
		}
		// A rotation keeps the algorithm that the store has.
		if err := h.RotateSigningKey(t.Context(), audit.Origin{}); err != nil {
			t.Fatal(err)
		}
		if got := algOf(t, h.login("marc").AccessToken); got != ES256 {
			t.Errorf("rotated to %s", got)
		}
		if n := len(h.PublicKeys()); n != 4 { // EdDSA, twice ES256 and its rotation
			t.Errorf("%d public keys", n)
		}
	})
}

func TestUnknownAlgorithm(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		if _, err := New(t.Context(), db, h.users, Options{Algorithm: "none"}); err == nil {
			t.Error("none is taken")
		}
		if n := len(h.PublicKeys()); n != 0 {
			t.Errorf("%d public keys of a secret", n)
		}
	})
}

// Whoever has the public key must not be able to sign with it, whatever a
// header says.
func TestAlgorithmConfusion(t *testing.T) {
	for _, alg := range []string{EdDSA, ES256} {
		sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
			h := build(t, db)
			s := h.signingWith(alg)
			key := s.signing.ring.Load().current
			said := newClaims(accessToken, &User{ID: mitchell, PasswordHash: h.hashOf(mitchell)}, "f", h.clock.Now())
			made := func(method jwt.SigningMethod, kid string, with any) string {
				token := jwt.NewWithClaims(method, said)
				token.Header["kid"] = kid
				text, err := token.SignedString(with)
				if err != nil {
					t.Fatal(err)
				}
				return text
			}
			h.accepts(s.identifyToken(t.Context(), made(key.method, key.kid, key.sign), h.clock.Now())) // the pattern is right
			der, err := x509.MarshalPKIXPublicKey(key.verify)
			if err != nil {
				t.Fatal(err)
			}
			raw := der[len(der)-32:] // of Ed25519, the key itself
			mine, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			_, mineToo, err := ed25519.GenerateKey(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			retired := ""
			for kid := range s.signing.ring.Load().byKID {
				if kid != key.kid {
					retired = kid // HS256
				}
			}
			for name, token := range map[string]string{
				"HS256 with the PEM":     made(jwt.SigningMethodHS256, key.kid, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
				"HS256 with the DER":     made(jwt.SigningMethodHS256, key.kid, der),
				"HS256 with the raw key": made(jwt.SigningMethodHS256, key.kid, raw),
				"HS256 with the secret":  made(jwt.SigningMethodHS256, key.kid, key.secret),
				"none":                   made(jwt.SigningMethodNone, key.kid, jwt.UnsafeAllowNoneSignatureType),
				"another ES256 key":      made(jwt.SigningMethodES256, key.kid, mine),
				"another EdDSA key":      made(jwt.SigningMethodEdDSA, key.kid, mineToo),
				"the kid of another":     made(key.method, retired, key.sign),
				"HS256, the other's kid": made(jwt.SigningMethodHS256, retired, der),
				"a path as kid":          made(jwt.SigningMethodHS256, "../../dev/null", []byte{}),
				"SQL as kid":             made(jwt.SigningMethodHS256, "' union select 'x' --", []byte("x")),
				"no kid":                 made(key.method, "", key.sign),
			} {
				if _, err := s.identifyToken(t.Context(), token, h.clock.Now()); !fault.Is(err, fault.Unauthenticated) || fault.From(err).Message != "Invalid token" {
					t.Errorf("%s, %s: %v", alg, name, err)
				}
			}
		})
	}
}

func TestDamagedSigningKeys(t *testing.T) {
	for _, test := range [][2]string{
		{HS256, "AAAA"}, {EdDSA, newSigningSecret(HS256)}, {ES256, newSigningSecret(HS256)}, {"RS256", newSigningSecret(HS256)}, {"", newSigningSecret(HS256)}, {HS256, "***"},
	} {
		if _, err := newSigningKey("k", test[0], test[1]); err == nil {
			t.Errorf("%v is taken", test)
		}
	}
	for _, alg := range []string{HS256, EdDSA, ES256} {
		if _, err := newSigningKey("k", alg, newSigningSecret(alg)); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
}
