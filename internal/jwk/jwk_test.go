package jwk

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
)

func pemOf(t testing.TB, public crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func ec(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestPEM(t *testing.T) {
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		public crypto.PublicKey
		algs   string
	}{
		{ed, "EdDSA"},
		{&ec(t, elliptic.P256()).PublicKey, "ES256"},
		{&ec(t, elliptic.P384()).PublicKey, "ES384"},
		{&ec(t, elliptic.P521()).PublicKey, "ES512"},
		{&private.PublicKey, "RS256 RS384 RS512 PS256 PS384 PS512"},
	} {
		text := pemOf(t, test.public)
		keys, err := Parse("\n" + text + "\n" + text + " ")
		if err != nil || len(keys) != 2 || strings.Join(keys[1].Algorithms(), " ") != test.algs ||
			!keys[0].Public.(interface{ Equal(crypto.PublicKey) bool }).Equal(test.public) {
			t.Errorf("%T: %v %v", test.public, keys, err)
		}
	}
}

// What we publish can be read again, by others and by ourselves.
func TestSigningIsReadAgain(t *testing.T) {
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for alg, public := range map[string]crypto.PublicKey{"EdDSA": ed, "ES256": &ec(t, elliptic.P256()).PublicKey} {
		out, err := Signing(Key{ID: "k", Public: public}, alg)
		if err != nil || out.Algorithm != alg || out.Use != "sig" {
			t.Fatalf("%+v %v", out, err)
		}
		text, err := json.Marshal(map[string]any{"keys": []JSON{out}})
		if err != nil {
			t.Fatal(err)
		}
		keys, err := Parse(string(text))
		if err != nil || len(keys) != 1 || keys[0].ID != "k" || !keys[0].Public.(interface{ Equal(crypto.PublicKey) bool }).Equal(public) {
			t.Errorf("%s: %+v %v", text, keys, err)
		}
	}
	for _, key := range []crypto.PublicKey{[]byte("secret"), &ec(t, elliptic.P384()).PublicKey, &rsa.PublicKey{}, nil} {
		if out, err := Signing(Key{Public: key}, "HS256"); err == nil {
			t.Errorf("%T: %+v", key, out)
		}
	}
}

func TestRSAKeySet(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := `{"kty":"RSA","kid":"a","n":"` + encode(private.N.Bytes()) + `","e":"AQAB","x5c":["ignored"]}`
	keys, err := Parse(text)
	if err != nil || !private.PublicKey.Equal(keys[0].Public) {
		t.Errorf("%v %v", keys, err)
	}
}

func TestParseRefuses(t *testing.T) {
	key := ec(t, elliptic.P256())
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	good, err := Signing(Key{Public: &key.PublicKey}, "ES256")
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(map[string]any)) string {
		text, err := json.Marshal(good)
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]any
		if err := json.Unmarshal(text, &all); err != nil {
			t.Fatal(err)
		}
		change(all)
		text, err = json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	set := func(name string, v any) string { return with(func(all map[string]any) { all[name] = v }) }
	small := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(3), 1020), E: 65537}
	small.N.SetBit(small.N, 0, 1)
	even := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(3), 2050), E: 4}
	const secret = "c2VjcmV0"
	for name, test := range map[string]struct{ text, want string }{
		"nothing":          {" ", "is empty"},
		"prose":            {"my key", "neither PEM"},
		"private PEM":      {string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "private key"},
		"private, second":  {pemOf(t, &key.PublicKey) + string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})), "private key"},
		"a certificate":    {string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), "PUBLIC KEY"},
		"damaged PEM":      {string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der[:20]})), "no public key"},
		"many":             {strings.Repeat(pemOf(t, &key.PublicKey), maxKeys+1), "more than"},
		"long":             {strings.Repeat("x", maxText+1), "longer than"},
		"weak RSA":         {pemOf(t, small), "2048"},
		"RSA, even e":      {pemOf(t, even), "exponent"},
		"P-224":            {pemOf(t, &ec(t, elliptic.P224()).PublicKey), "must be RSA"},
		"private JWK":      {set("d", secret), "private key"},
		"symmetric JWK":    {`{"kty":"oct","k":"` + secret + `"}`, "private key"},
		"no JSON":          {`{"kty":`, "not a JSON Web Key"},
		"no kty":           {`{}`, `"kty"`},
		"empty set":        {`{"keys":[]}`, "from 1 to"},
		"not a set":        {`{"keys":"x"}`, "not a JSON Web Key"},
		"for encryption":   {set("use", "enc"), `"use"`},
		"unknown curve":    {set("crv", "secp256k1"), `"crv"`},
		"short x":          {set("x", "AAAA"), "length"},
		"padded x":         {set("x", good.X+"="), "base64url"},
		"not on the curve": {set("x", good.Y), "not on the curve"},
		"Ed448":            {`{"kty":"OKP","crv":"Ed448","x":"AAAA"}`, "Ed25519"},
		"short Ed25519":    {`{"kty":"OKP","crv":"Ed25519","x":"AAAA"}`, "length"},
		"RSA, large e":     {`{"kty":"RSA","n":"` + encode(even.N.Bytes()) + `","e":"AQABAQAB"}`, "too large"},
		"RSA without n":    {`{"kty":"RSA","e":"AQAB"}`, `"n"`},
		"long kid":         {set("kid", strings.Repeat("k", 257)), `"kid"`},
	} {
		keys, err := Parse(test.text)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v %v, want %q", name, keys, err, test.want)
		}
		if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), base64.StdEncoding.EncodeToString(der)[:20])) {
			t.Errorf("%s: the error repeats the key", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	key := ec(f, elliptic.P256())
	out, err := Signing(Key{Public: &key.PublicKey}, "ES256")
	if err != nil {
		f.Fatal(err)
	}
	text, err := json.Marshal(out)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add(`{"keys":[` + string(text) + `]}`)
	f.Add(pemOf(f, &key.PublicKey))
	f.Add(`{"kty":"RSA","n":"AQAB","e":"AQAB"}`)
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := Parse(text)
		if (err == nil) != (len(keys) > 0) {
			t.Fatalf("%v %v", keys, err)
		}
		for _, key := range keys {
			if len(key.Algorithms()) == 0 || key.check() != nil {
				t.Fatalf("%+v", key)
			}
		}
	})
}
