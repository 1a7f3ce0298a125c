// Package jwk reads public keys as people have them (PEM, JSON Web Keys) and
// writes them as JSON Web Keys (RFC 7517, RFC 8037). It knows which algorithms
// a key is good for: nobody needs to believe what a token says of itself.
package jwk

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
)

// Key is a public key and what it is called.
type Key struct {
	ID     string // kid; "" for a key without a name
	Public crypto.PublicKey
}

// Algorithms are the signature algorithms of RFC 7518 and RFC 8037 that the
// key is good for; none for a kind of key that is not understood. HMAC is never
// among them: a public key is no secret.
func (k Key) Algorithms() []string {
	switch public := k.Public.(type) {
	case ed25519.PublicKey:
		return []string{"EdDSA"}
	case *rsa.PublicKey:
		return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	case *ecdsa.PublicKey:
		switch public.Curve {
		case elliptic.P256():
			return []string{"ES256"}
		case elliptic.P384():
			return []string{"ES384"}
		case elliptic.P521():
			return []string{"ES512"}
		}
	}
	return nil
}

// check refuses kinds of keys that nothing is signed with here, and weak ones.
func (k Key) check() error {
	if len(k.Algorithms()) == 0 {
		return fmt.Errorf("a key must be RSA, ECDSA on P-256, P-384 or P-521, or Ed25519")
	}
	if public, ok := k.Public.(*rsa.PublicKey); ok {
		switch {
		case public.N.BitLen() < minRSA:
			return fmt.Errorf("an RSA key must have %d bits or more, this one has %d", minRSA, public.N.BitLen())
		case public.N.BitLen() > maxRSA: // checking a signature would take long
			return fmt.Errorf("an RSA key must have %d bits at most", maxRSA)
		case public.E < 3 || public.E%2 == 0:
			return fmt.Errorf("the RSA exponent %d is not valid", public.E)
		}
	}
	return nil
}

// The sizes of RSA keys that are taken, in bits (RFC 7518 section 3.3).
const minRSA, maxRSA = 2048, 8192

// JSON is a JSON Web Key, for answers. Use and Algorithm are set for keys of
// ours, with which nothing but signatures of one algorithm are made.
type JSON struct {
	Type      string `json:"kty"`
	ID        string `json:"kid,omitempty"`
	Use       string `json:"use,omitempty"`
	Algorithm string `json:"alg,omitempty"`
	Curve     string `json:"crv,omitempty"`
	X         string `json:"x,omitempty"`
	Y         string `json:"y,omitempty"`
	N         string `json:"n,omitempty"`
	E         string `json:"e,omitempty"`
}

// Signing describes a public key that signatures of one algorithm are checked
// with: Ed25519 or P-256, which are what Gatehouse itself signs with.
func Signing(k Key, algorithm string) (JSON, error) {
	out := JSON{ID: k.ID, Use: "sig", Algorithm: algorithm}
	switch public := k.Public.(type) {
	case ed25519.PublicKey:
		out.Type, out.Curve, out.X = "OKP", "Ed25519", encode(public)
		return out, nil
	case *ecdsa.PublicKey:
		if public.Curve != elliptic.P256() {
			break
		}
		point, err := public.Bytes() // 4, x, y
		if err != nil {
			return JSON{}, fmt.Errorf("describe a key: %w", err)
		}
		half := 1 + (len(point)-1)/2
		out.Type, out.Curve, out.X, out.Y = "EC", "P-256", encode(point[1:half]), encode(point[half:])
		return out, nil
	}
	return JSON{}, fmt.Errorf("describe a key: %T is not a key that is signed with", k.Public)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
