package oauth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"net/netip"
	"strconv"
	"strings"

	"gatehouse/internal/identity"
	"gatehouse/internal/jwk"
)

// Where the endpoints are, below the issuer.
const (
	TokenPath      = "/api/oauth/token" //nolint:gosec // a path, no token
	RevokePath     = "/api/oauth/revoke"
	IntrospectPath = "/api/oauth/introspect"
	KeysPath       = "/.well-known/jwks.json"
	MetadataPath   = "/.well-known/oauth-authorization-server"
)

// Metadata describes the server (RFC 8414 section 2).
type Metadata struct {
	Issuer                  string   `json:"issuer"`
	TokenEndpoint           string   `json:"token_endpoint"`
	TokenMethods            []string `json:"token_endpoint_auth_methods_supported"`
	TokenAlgorithms         []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	Keys                    string   `json:"jwks_uri"`
	Scopes                  []string `json:"scopes_supported"`
	ResponseTypes           []string `json:"response_types_supported"`
	GrantTypes              []string `json:"grant_types_supported"`
	RevocationEndpoint      string   `json:"revocation_endpoint"`
	RevocationMethods       []string `json:"revocation_endpoint_auth_methods_supported"`
	RevocationAlgorithms    []string `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	IntrospectionEndpoint   string   `json:"introspection_endpoint"`
	IntrospectionMethods    []string `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionAlgorithms []string `json:"introspection_endpoint_auth_signing_alg_values_supported"`
}

// Describe is the metadata of the server that is reached at issuer, where there
// are those curated resources.
func Describe(issuer string, resources []string) *Metadata {
	methods := []string{"client_secret_basic", "client_secret_post", "private_key_jwt"}
	algorithms := assertionAlgorithms()
	scopes := []string{string(identity.Read), string(identity.Write), string(identity.Delete), string(identity.Admin)}
	for _, name := range resources {
		scopes = append(scopes, name+"_"+string(identity.Read), name+"_"+string(identity.Write))
	}
	return &Metadata{
		Issuer: issuer, TokenEndpoint: issuer + TokenPath, TokenMethods: methods, TokenAlgorithms: algorithms,
		Keys: issuer + KeysPath, Scopes: scopes, ResponseTypes: []string{}, GrantTypes: []string{"client_credentials"},
		RevocationEndpoint: issuer + RevokePath, RevocationMethods: methods, RevocationAlgorithms: algorithms,
		IntrospectionEndpoint: issuer + IntrospectPath, IntrospectionMethods: methods, IntrospectionAlgorithms: algorithms,
	}
}

// assertionAlgorithms are what clients may sign assertions with.
func assertionAlgorithms() (all []string) {
	for _, key := range []jwk.Key{
		{Public: ed25519.PublicKey{}},
		{Public: &ecdsa.PublicKey{Curve: elliptic.P256()}},
		{Public: &ecdsa.PublicKey{Curve: elliptic.P384()}},
		{Public: &ecdsa.PublicKey{Curve: elliptic.P521()}},
		{Public: &rsa.PublicKey{}},
	} {
		all = append(all, key.Algorithms()...)
	}
	return all
}

// KeySet is the public keys with which others can check tokens (RFC 7517
// section 5).
type KeySet struct {
	Keys []jwk.JSON `json:"keys"`
}

// Keys is the key set of the server.
func (s *Server) Keys() *KeySet { return &KeySet{Keys: s.Clients.PublicKeys()} }

// IssuerAt is the issuer of a server that has no configured address: what the
// caller reached it as. A host that no server has is a fault.BadRequest.
func IssuerAt(secure bool, host string) (string, error) {
	if !isHost(host) {
		return "", refuse(InvalidRequest, "The Host header is not a host")
	}
	if secure {
		return "https://" + host, nil
	}
	return "http://" + host, nil
}

// isHost takes names, addresses and ports; the Host header may hold anything.
func isHost(host string) bool {
	name := host
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		if _, err := strconv.ParseUint(host[i+1:], 10, 16); err != nil {
			return false
		}
		name = host[:i]
	}
	if inner, ok := strings.CutPrefix(name, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		return ok && err == nil && addr.Is6() && addr.Zone() == ""
	}
	if name == "" || len(host) > 255 {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
