package identity

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"gatehouse/internal/fault"
	"gatehouse/internal/jwk"
	"gatehouse/internal/sqldb"
)

// assertionLife is how far ahead an assertion may expire: its id is remembered
// that long.
const assertionLife = time.Hour

// maxAssertionID is the longest jti of an assertion, in bytes.
const maxAssertionID = 256

// createAssertions makes the table of the assertions that were used.
func createAssertions(ctx context.Context, tx sqldb.Tx) error {
	d := tx.Dialect()
	_, err := tx.Exec(ctx, fmt.Sprintf(`create table gateway_assertion (hash %s primary key, expires_at %s not null)`,
		d.ColumnType(sqldb.Text), d.ColumnType(sqldb.Timestamp)))
	return err
}

// AuthenticateAssertion checks an assertion that a client signed with its
// private key (RFC 7523 sections 2.2 and 3): once, and for one of the
// audiences. id is the client_id parameter, "" where there was none. Errors are
// those of AuthenticateClient; what is wrong is said only to whoever has the key.
func (s *Service) AuthenticateAssertion(ctx context.Context, id, assertion string, audiences []string, meta Meta) (*Client, error) {
	now := s.clock.Now()
	a, err := readAssertion(id, assertion)
	if a != nil {
		id = a.Subject
	}
	if err := s.attempts.check(clientAccount(id), meta.IP, now); err != nil {
		return nil, err
	}
	if err != nil {
		s.attempts.fail(clientAccount(id), meta.IP, now)
		return nil, invalidClient().Because(err)
	}
	c, err := s.findClient(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := a.proves(c); err != nil {
		s.attempts.fail(clientAccount(id), meta.IP, now)
		return nil, invalidClient().Because(err)
	}
	err = a.check(audiences, now)
	if err == nil {
		err = s.useAssertion(ctx, a)
	}
	if fault.Is(err, fault.Unauthenticated) {
		s.attempts.fail(clientAccount(id), meta.IP, now)
	}
	if err != nil {
		return nil, err
	}
	return s.admitClient(ctx, c, meta)
}

// assertion is a JSON Web Token in which a client says who it is.
type assertion struct {
	jwt.RegisteredClaims
	token   *jwt.Token
	signed  string // what the signature is of
	hasCrit bool
}

// readAssertion takes an assertion apart. Nothing of it is proved.
func readAssertion(id, text string) (*assertion, error) {
	if len(text) > maxToken || strings.Count(text, ".") != 2 {
		return nil, errors.New("the assertion is no JSON Web Token")
	}
	a := &assertion{signed: text[:strings.LastIndexByte(text, '.')]}
	parser := jwt.NewParser(jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())
	var err error
	if a.token, _, err = parser.ParseUnverified(text, a); err != nil {
		return nil, fmt.Errorf("read an assertion: %w", err)
	}
	if a.token.Signature, err = parser.DecodeSegment(text[len(a.signed)+1:]); err != nil {
		return nil, fmt.Errorf("read the signature of an assertion: %w", err)
	}
	if a.Subject == "" || a.Issuer != a.Subject || id != "" && id != a.Subject {
		return nil, errors.New("iss, sub and client_id of an assertion must be the same")
	}
	_, a.hasCrit = a.token.Header["crit"]
	return a, nil
}

// proves checks the signature with the client's own keys: a key says which
// algorithms it is good for, the header only which of those was taken. Without
// a client or a key that fits, the work is done on a key of nobody, so that the
// time does not tell.
func (a *assertion) proves(c *Client) error {
	var keys []jwk.Key
	if c != nil && c.active && c.keys != "" {
		keys, _ = jwk.Parse(c.keys) // a row that somebody wrote past the checks proves nothing
	}
	kid, _ := a.token.Header["kid"].(string)
	alg := a.token.Method.Alg()
	tried := false
	for _, key := range keys {
		if key.ID != "" && kid != "" && key.ID != kid || !slices.Contains(key.Algorithms(), alg) {
			continue
		}
		tried = true
		if a.token.Method.Verify(a.signed, a.token.Signature, key.Public) == nil && !a.hasCrit {
			return nil
		}
	}
	if key := nobodysKeys()[alg]; key != nil && !tried {
		_ = a.token.Method.Verify(a.signed, a.token.Signature, key)
	}
	return errors.New("no key of the client made the signature of its assertion")
}

// nobodysKeys are public keys by algorithm, to spend time on.
var nobodysKeys = sync.OnceValue(func() map[string]crypto.PublicKey {
	modulus := make([]byte, 256)
	_, _ = rand.Read(modulus)
	modulus[0], modulus[len(modulus)-1] = modulus[0]|0x80, modulus[len(modulus)-1]|1
	keys := map[string]crypto.PublicKey{"EdDSA": make(ed25519.PublicKey, ed25519.PublicKeySize)}
	for _, alg := range (jwk.Key{Public: &rsa.PublicKey{}}).Algorithms() {
		keys[alg] = &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: 65537}
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		private, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			continue // never: the curves are known
		}
		for _, alg := range (jwk.Key{Public: &private.PublicKey}).Algorithms() {
			keys[alg] = &private.PublicKey
		}
	}
	return keys
})

// check looks at the claims of an assertion whose signature holds.
func (a *assertion) check(audiences []string, now time.Time) error {
	refuse := func(why string) error { return fault.New(fault.Unauthenticated, "The assertion is refused: "+why) }
	switch {
	case !slices.ContainsFunc(a.Audience, func(to string) bool { return slices.Contains(audiences, to) }):
		return refuse("aud must be " + strings.Join(audiences, " or "))
	case a.ExpiresAt == nil:
		return refuse("exp is missing")
	case !now.Before(a.ExpiresAt.Time):
		return refuse("it has expired")
	case a.ExpiresAt.After(now.Add(assertionLife + clockSkew)):
		return refuse("exp is more than an hour ahead")
	case a.NotBefore != nil && a.NotBefore.After(now.Add(clockSkew)), a.IssuedAt != nil && a.IssuedAt.After(now.Add(clockSkew)):
		return refuse("it is not valid yet")
	case a.ID == "" || len(a.ID) > maxAssertionID:
		return refuse("jti must have from 1 to 256 bytes")
	}
	return nil
}

// useAssertion remembers the id of an assertion; Unauthenticated when it was
// used before, on any node.
func (s *Service) useAssertion(ctx context.Context, a *assertion) error {
	var first int64
	err := s.db.Write(ctx, func(tx sqldb.Tx) (err error) {
		first, err = tx.Exec(ctx, `insert into gateway_assertion (hash, expires_at) values ($1, $2) on conflict do nothing`,
			KeyHash(a.Subject+"\x00"+a.ID), a.ExpiresAt.UTC())
		return err
	})
	if err != nil {
		return storeFault(err, "remember an assertion")
	}
	if first == 0 {
		return fault.New(fault.Unauthenticated, "The assertion is refused: its jti was used before")
	}
	return nil
}
