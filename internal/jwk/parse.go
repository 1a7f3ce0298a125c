package jwk

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// Bounds of what is parsed: bytes, and keys in it.
const (
	maxText = 64 << 10
	maxKeys = 10
)

// errPrivate never says more: a private key that was sent must not come back.
var errPrivate = errors.New("this is a private key, or holds one: give the public key only, and replace this pair")

// Parse reads public keys: PEM ("BEGIN PUBLIC KEY", one or several), a JSON
// Web Key or a set of them. Private keys are refused, and never repeated in an
// error.
func Parse(text string) ([]Key, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil, errors.New("the key is empty")
	case len(text) > maxText:
		return nil, fmt.Errorf("the keys are longer than %d bytes", maxText)
	case strings.HasPrefix(text, "{"):
		return parseJSON(text)
	}
	return parsePEM(text)
}

func parsePEM(text string) ([]Key, error) {
	var keys []Key
	for rest := []byte(text); len(strings.TrimSpace(string(rest))) > 0; {
		block, after := pem.Decode(rest)
		switch {
		case block == nil:
			return nil, errors.New("this is neither PEM (-----BEGIN PUBLIC KEY-----) nor a JSON Web Key")
		case strings.Contains(block.Type, "PRIVATE"):
			return nil, errPrivate
		case block.Type != "PUBLIC KEY":
			return nil, errors.New("a PEM block must be a PUBLIC KEY, as `openssl pkey -pubout` writes it")
		case len(keys) == maxKeys:
			return nil, fmt.Errorf("more than %d keys", maxKeys)
		}
		public, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, errors.New("the PEM block holds no public key that is understood")
		}
		key := Key{Public: public}
		if err := key.check(); err != nil {
			return nil, err
		}
		keys, rest = append(keys, key), after
	}
	return keys, nil
}

// given is a key as it comes in. Private says whether it has private parts.
type given struct {
	JSON
	D json.RawMessage `json:"d"`
	P json.RawMessage `json:"p"`
	K json.RawMessage `json:"k"` // a symmetric key
}

func parseJSON(text string) ([]Key, error) {
	var set struct {
		given
		Keys *[]given `json:"keys"`
	}
	if json.Unmarshal([]byte(text), &set) != nil { // its error may quote what is in it
		return nil, errors.New("this is not a JSON Web Key, nor a set of them")
	}
	list := []given{set.given}
	if set.Keys != nil {
		list = *set.Keys
	}
	if len(list) == 0 || len(list) > maxKeys {
		return nil, fmt.Errorf("a set must have from 1 to %d keys", maxKeys)
	}
	keys := make([]Key, len(list))
	for i := range list {
		key, err := list[i].key()
		if err != nil {
			return nil, err
		}
		keys[i] = key
	}
	return keys, nil
}

func (g *given) key() (Key, error) {
	if g.D != nil || g.P != nil || g.K != nil {
		return Key{}, errPrivate
	}
	if g.Use != "" && g.Use != "sig" {
		return Key{}, errors.New(`a key must be for signatures: "use" must be "sig"`)
	}
	if len(g.ID) > 256 {
		return Key{}, errors.New(`"kid" is longer than 256 bytes`)
	}
	key := Key{ID: g.ID}
	var err error
	switch g.Type {
	case "RSA":
		key.Public, err = rsaKey(g.N, g.E)
	case "EC":
		key.Public, err = ecKey(g.Curve, g.X, g.Y)
	case "OKP":
		key.Public, err = edKey(g.Curve, g.X)
	default:
		err = errors.New(`"kty" must be RSA, EC or OKP`)
	}
	if err != nil {
		return Key{}, err
	}
	return key, key.check()
}

// decode reads a member of a key.
func decode(name, text string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) == 0 {
		return nil, fmt.Errorf("%q must be base64url without padding", name)
	}
	return b, nil
}

func rsaKey(n, e string) (*rsa.PublicKey, error) {
	modulus, err := decode("n", n)
	if err != nil {
		return nil, err
	}
	exponent, err := decode("e", e)
	if err != nil {
		return nil, err
	}
	if len(exponent) > 3 {
		return nil, errors.New(`"e" is too large`)
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(new(big.Int).SetBytes(exponent).Int64())}, nil
}

func ecKey(curve, x, y string) (*ecdsa.PublicKey, error) {
	curves := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}
	c := curves[curve]
	if c == nil {
		return nil, errors.New(`"crv" must be P-256, P-384 or P-521`)
	}
	point := []byte{4} // uncompressed
	for _, half := range [][2]string{{"x", x}, {"y", y}} {
		b, err := decode(half[0], half[1])
		if err != nil {
			return nil, err
		}
		if len(b) != (c.Params().BitSize+7)/8 {
			return nil, fmt.Errorf("%q has the wrong length for %s", half[0], curve)
		}
		point = append(point, b...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(c, point)
	if err != nil {
		return nil, errors.New("the point is not on the curve " + curve)
	}
	return key, nil
}

func edKey(curve, x string) (ed25519.PublicKey, error) {
	if curve != "Ed25519" {
		return nil, errors.New(`"crv" of an OKP key must be Ed25519`)
	}
	b, err := decode("x", x)
	if err != nil {
		return nil, err
	}
	if len(b) != ed25519.PublicKeySize {
		return nil, errors.New(`"x" has the wrong length for Ed25519`)
	}
	return b, nil
}
