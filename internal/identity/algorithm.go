package identity

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"

	"github.com/golang-jwt/jwt/v5"

	"gatehouse/internal/jwk"
)

// The algorithms that tokens can be signed with (RFC 7518, RFC 8037). Those
// with a public key let others check tokens by themselves.
const (
	HS256 = "HS256"
	EdDSA = "EdDSA"
	ES256 = "ES256"
)

func signingMethods() map[string]jwt.SigningMethod {
	return map[string]jwt.SigningMethod{HS256: jwt.SigningMethodHS256, EdDSA: jwt.SigningMethodEdDSA, ES256: jwt.SigningMethodES256}
}

// newSigningSecret draws the secret of a key, as it is stored.
func newSigningSecret(alg string) string {
	secret := make([]byte, 64)
	switch alg {
	case ES256:
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err == nil {
			secret, err = key.Bytes()
		}
		if err != nil { // the curve is known and the source of randomness never fails
			panic(err)
		}
	case EdDSA:
		secret = secret[:ed25519.SeedSize]
		fallthrough
	default:
		_, _ = rand.Read(secret) // never fails since Go 1.24: it aborts the program instead
	}
	return base64.RawURLEncoding.EncodeToString(secret)
}

// newSigningKey makes a key of what is stored. Its errors do not repeat the secret.
func newSigningKey(kid, alg, stored string) (*signingKey, error) {
	damaged := fmt.Errorf("signing key %s is damaged", kid)
	secret, err := base64.RawURLEncoding.DecodeString(stored)
	if err != nil || len(secret) < 32 { // RFC 7518 section 3.2
		return nil, damaged
	}
	k := &signingKey{kid: kid, method: signingMethods()[alg], secret: secret}
	switch alg {
	case HS256:
		k.sign, k.verify = secret, secret
	case EdDSA:
		if len(secret) != ed25519.SeedSize {
			return nil, damaged
		}
		private := ed25519.NewKeyFromSeed(secret)
		k.sign, k.verify = private, private.Public()
	case ES256:
		private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret)
		if err != nil {
			return nil, damaged
		}
		k.sign, k.verify = private, private.Public()
	default:
		return nil, fmt.Errorf("signing key %s is of an algorithm that this version does not know", kid)
	}
	return k, nil
}

// PublicKeys are the keys with which others can check our tokens: none while
// they are signed with a secret. Retired ones stay as long as tokens of theirs
// may be alive.
func (s *Service) PublicKeys() []jwk.JSON {
	ring, keys := s.signing.ring.Load(), []jwk.JSON{}
	for _, kid := range slices.Sorted(maps.Keys(ring.byKID)) {
		key := ring.byKID[kid]
		if public, err := jwk.Signing(jwk.Key{ID: kid, Public: key.verify}, key.method.Alg()); err == nil {
			keys = append(keys, public) // a secret is no public key, and so an error
		}
	}
	return keys
}
