package identity

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/clock"
)

// benchService is a Service that has an account and a key in memory, without
// a database: a query would be a nil dereference.
func benchService(b testing.TB) (s *Service, token, key, userKey string) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s = &Service{
		clock:    clock.NewMoving(now),
		accounts: newLRU[int64, *account](4096), clients: newLRU[string, *Client](4096),
		tokens: newLRU[digest, *tokenEntry](4096), keys: newLRU[digest, *keyEntry](4096), userKeys: newLRU[digest, *userKeyEntry](4096),
	}
	signs, err := newSigningKey("k", HS256, newSigningSecret(HS256))
	if err != nil {
		b.Fatal(err)
	}
	s.signing.ring.Store(&keyRing{current: signs, byKID: map[string]*signingKey{"k": signs}})
	u := &User{ID: 2, Login: "admin", Active: true}
	s.accounts.put(2, &account{user: u, version: u.passwordVersion()})
	token, err = s.sign(newClaims(accessToken, u, "0123456789abcdef0123456789abcdef", now))
	if err != nil {
		b.Fatal(err)
	}
	key, _ = NewKey()
	s.keys.put(digestOf(key), &keyEntry{principal: &Principal{Kind: APIKey, CredentialID: 7}})
	userKey = "2$" + strings.Repeat("0123abcd", 5)
	s.userKeys.put(digestOf(userKey), &userKeyEntry{principal: &Principal{Kind: UserKey, CredentialID: 8}})
	for i := range 4000 { // as full as it gets
		s.tokens.put(digestOf(fmt.Sprint(i)), &tokenEntry{})
		s.revoked.add(fmt.Sprint(i), now)
	}
	return s, token, key, userKey
}

// benchClientToken is a client's token, the client of which is in memory.
func benchClientToken(b *testing.B, s *Service) string {
	b.Helper()
	scopes, err := ParseScopes("read,write")
	if err != nil {
		b.Fatal(err)
	}
	s.clients.put("gw_0123456789ab", &Client{row: 3, id: "gw_0123456789ab", userID: 2, active: true, scopes: scopes})
	said := newClaims(clientToken, &User{ID: 2}, "fedcba9876543210fedcba9876543210", s.clock.Now())
	said.ClientID, said.Version, said.Scopes = "gw_0123456789ab", "", []string{"read", "write"}
	token, err := s.sign(said)
	if err != nil {
		b.Fatal(err)
	}
	return token
}

func BenchmarkIdentify(b *testing.B) {
	s, token, key, userKey := benchService(b)
	for name, h := range map[string]http.Header{
		"token": {"Authorization": {"Bearer " + token}}, "key": {"X-Api-Key": {key}},
		"user key": {"Authorization": {"Bearer " + userKey}},
		"client":   {"Authorization": {"Bearer " + benchClientToken(b, s)}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Identify(b.Context(), h, here.IP); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("token, parallel", func(b *testing.B) {
		h := http.Header{"Authorization": {"Bearer " + token}}
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.Identify(b.Context(), h, here.IP); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// A token that is seen for the first time.
func BenchmarkVerifyToken(b *testing.B) {
	s, token, _, _ := benchService(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.verify(b.Context(), token, accessToken, s.clock.Now()); err != nil {
			b.Fatal(err)
		}
	}
}

// A user's key that is seen for the first time: what its hash costs.
func BenchmarkHashUserKey(b *testing.B) {
	p := newKeyHashes()
	key, stored, err := NewUserKey()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if ok, err := p.compare(key, stored.Hash); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
