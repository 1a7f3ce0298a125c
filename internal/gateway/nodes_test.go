package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/business"
	"gatehouse/internal/fault"
	"gatehouse/internal/gateway"
	"gatehouse/internal/identity"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// fixed is a clock half an hour ahead: what the engine makes expire in a few
// minutes has expired for the identities.
type fixed time.Time

func (f fixed) Now() time.Time { return time.Time(f) }

// nodes are two Gatehouses on one database. Changes are made on the near one.
type nodes struct {
	t         *testing.T
	eng       *record.Engine
	admin     *backend.Caller
	near, far *identity.Service
	made      int
}

// person is a user with a profile and one credential of each kind.
type person struct {
	user, profile, key, userKey int64
	login                       string
	headers                     map[identity.CredentialKind]http.Header
}

func twoNodes(t *testing.T, a, b sqldb.DB) *nodes {
	t.Helper()
	ctx := context.Background()
	keys := &gateway.Keys{}
	passwords := identity.NewPasswords(0)
	hash := func(plain string) (string, error) { return passwords.Hash(ctx, plain) }
	eng, err := record.Open(ctx, a, record.Options{
		Models: append(business.Models(), identity.Models()...),
		Logics: append(business.Logics(business.Options{HashPassword: hash}), gateway.Logics(keys)...),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(eng.Close)
	if err := eng.Sudo(ctx, business.Seed); err != nil {
		t.Fatal(err)
	}
	n := &nodes{t: t, eng: eng, admin: &backend.Caller{UserID: 2, Admin: true}}
	clock := fixed(time.Now().Add(30 * time.Minute))
	for db, s := range map[sqldb.DB]**identity.Service{a: &n.near, b: &n.far} {
		if *s, err = identity.New(ctx, db, identity.NewUsers(db), identity.Options{Clock: clock, Passwords: passwords}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = (*s).Close(ctx) })
	}
	keys.Service = n.near
	return n
}

func (n *nodes) create(model string, values backend.Values) (int64, string) {
	n.t.Helper()
	created, err := n.eng.Create(context.Background(), n.admin, model, []backend.Values{values})
	if err != nil {
		n.t.Fatal(err)
	}
	if created.Once == nil {
		return created.IDs[0], ""
	}
	return created.IDs[0], created.Once[0]["key"]
}

func (n *nodes) write(model string, id int64, values backend.Values) {
	n.t.Helper()
	if err := n.eng.Write(context.Background(), n.admin, model, []int64{id}, values); err != nil {
		n.t.Fatal(err)
	}
}

func (n *nodes) unlink(model string, id int64) {
	n.t.Helper()
	if err := n.eng.Unlink(context.Background(), n.admin, model, []int64{id}); err != nil {
		n.t.Fatal(err)
	}
}

func (n *nodes) person() *person {
	n.t.Helper()
	n.made++
	p := &person{login: fmt.Sprintf("joel%d", n.made)}
	p.user, _ = n.create("res.users", backend.Values{"login": p.login, "name": p.login, "password": p.login})
	p.profile, _ = n.create("gateway.profile", backend.Values{"name": "slow", "user_id": p.user, "limit_minute": int64(5), "allowed_ips": "10.0.0.0/8\n::1"})
	var key, own string
	p.key, key = n.create("gateway.key", backend.Values{"name": "ci", "user_id": p.user, "scopes": "read"})
	p.userKey, own = n.create("res.users.apikeys", backend.Values{"name": "script", "user_id": p.user, "duration": "30"})
	pair, _, err := n.near.Login(context.Background(), p.login, p.login, identity.Meta{})
	if err != nil {
		n.t.Fatal(err)
	}
	p.headers = map[identity.CredentialKind]http.Header{
		identity.UserToken: {"Authorization": {"Bearer " + pair.AccessToken}},
		identity.APIKey:    {"X-Api-Key": {key}},
		identity.UserKey:   {"Authorization": {fmt.Sprintf("Bearer %d$%s", p.user, own)}},
	}
	return p
}

// outcome says whether a credential is as it should be.
type outcome func(*identity.Principal, error) bool

func same(p *identity.Principal, err error) bool {
	return err == nil && p.Limits == (identity.Limits{Minute: 5}) && len(p.AllowedIPs) == 2 && p.LogLevel == "" && !p.Administrator
}

func refused(_ *identity.Principal, err error) bool { return fault.Is(err, fault.Unauthenticated) }

func all(o outcome) map[identity.CredentialKind]outcome {
	return map[identity.CredentialKind]outcome{identity.UserToken: o, identity.APIKey: o, identity.UserKey: o}
}

// only is one kind changed and the others as they were.
func only(kind identity.CredentialKind, o outcome) map[identity.CredentialKind]outcome {
	want := all(same)
	want[kind] = o
	return want
}

// limits is a principal with these limits.
func limits(l identity.Limits) outcome {
	return func(p *identity.Principal, err error) bool { return err == nil && p.Limits == l }
}

// Every change of keys, users and profiles holds at once on the node that made
// it, and within a second on others, also where the old state is in memory.
func TestChangesReachEveryNode(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, a, b sqldb.DB) {
		n := twoNodes(t, a, b)
		soon := time.Now().UTC().Add(10 * time.Minute).Format(time.DateTime)
		for _, test := range []struct {
			name   string
			change func(*person)
			want   map[identity.CredentialKind]outcome
		}{
			{"revoke the key", func(p *person) {
				if err := n.near.RevokeKey(context.Background(), p.key); err != nil {
					t.Fatal(err)
				}
			}, only(identity.APIKey, refused)},
			{"archive the key", func(p *person) { n.write("gateway.key", p.key, backend.Values{"active": false}) }, only(identity.APIKey, refused)},
			{"delete the key", func(p *person) { n.unlink("gateway.key", p.key) }, only(identity.APIKey, refused)},
			{"delete the user's key", func(p *person) { n.unlink("res.users.apikeys", p.userKey) }, only(identity.UserKey, refused)},
			{"log out", func(p *person) {
				ctx := context.Background()
				who, err := n.near.Identify(ctx, p.headers[identity.UserToken], netip.Addr{})
				if err == nil {
					err = n.near.Logout(ctx, who, "")
				}
				if err != nil {
					t.Fatal(err)
				}
			}, only(identity.UserToken, refused)},
			{"expire the key", func(p *person) { n.write("gateway.key", p.key, backend.Values{"expires_at": soon}) }, only(identity.APIKey, refused)},
			{"expire the user's key", func(p *person) {
				n.write("res.users.apikeys", p.userKey, backend.Values{"expiration_date": soon})
			}, only(identity.UserKey, refused)},
			{
				"scopes of the key", func(p *person) { n.write("gateway.key", p.key, backend.Values{"scopes": "write"}) },
				only(identity.APIKey, func(p *identity.Principal, err error) bool { return err == nil && p.Scopes.String() == "write" }),
			},
			{
				"limits of the key", func(p *person) { n.write("gateway.key", p.key, backend.Values{"limit_minute": int64(9)}) },
				only(identity.APIKey, limits(identity.Limits{Minute: 9})),
			},
			{"limits of the profile", func(p *person) {
				n.write("gateway.profile", p.profile, backend.Values{"limit_minute": int64(7), "limit_day": int64(70)})
			}, all(limits(identity.Limits{Minute: 7, Day: 70}))},
			{"addresses of the profile", func(p *person) {
				n.write("gateway.profile", p.profile, backend.Values{"allowed_ips": "192.0.2.0/24"})
			}, all(func(p *identity.Principal, err error) bool {
				return err == nil && len(p.AllowedIPs) == 1 && p.AllowedIPs[0] == netip.MustParsePrefix("192.0.2.0/24")
			})},
			{
				"log level of the profile", func(p *person) { n.write("gateway.profile", p.profile, backend.Values{"log_level": "full"}) },
				all(func(p *identity.Principal, err error) bool { return err == nil && p.LogLevel == "full" }),
			},
			{
				"archive the profile", func(p *person) { n.write("gateway.profile", p.profile, backend.Values{"active": false}) },
				all(func(p *identity.Principal, err error) bool {
					return err == nil && p.Limits.IsZero() && p.AllowedIPs == nil
				}),
			},
			{
				"delete the profile", func(p *person) { n.unlink("gateway.profile", p.profile) },
				all(func(p *identity.Principal, err error) bool {
					return err == nil && p.Limits.IsZero() && p.AllowedIPs == nil
				}),
			},
			{
				"change the password", func(p *person) { n.write("res.users", p.user, backend.Values{"password": "another"}) },
				only(identity.UserToken, refused),
			},
			{
				"rename the user", func(p *person) { n.write("res.users", p.user, backend.Values{"login": p.login + "-new"}) },
				all(func(p *identity.Principal, err error) bool { return err == nil && p.Login[len(p.Login)-4:] == "-new" }),
			},
			{
				"make him an administrator", func(p *person) { n.administrator(p) },
				all(func(p *identity.Principal, err error) bool { return err == nil && p.Administrator }),
			},
			{"archive the user", func(p *person) { n.write("res.users", p.user, backend.Values{"active": false}) }, all(refused)},
			{"delete the user", func(p *person) { n.unlink("res.users", p.user) }, all(refused)},
		} {
			t.Run(test.name, func(t *testing.T) {
				p := n.person()
				for kind, header := range p.headers { // now in memory on both
					n.until(t, n.far, "the far node knows "+string(kind), header, same, 1*time.Second)
					n.until(t, n.near, "the near node knows "+string(kind), header, same, 0)
				}
				test.change(p)
				began := time.Now()
				for kind, want := range test.want {
					n.until(t, n.near, "near, "+string(kind), p.headers[kind], want, 0)
				}
				for kind, want := range test.want {
					n.until(t, n.far, "far, "+string(kind), p.headers[kind], want, time.Second-time.Since(began))
				}
			})
		}
	})
}

// administrator puts somebody into the group of administrators.
func (n *nodes) administrator(p *person) {
	n.t.Helper()
	err := n.eng.Sudo(context.Background(), func(e *record.Env) error {
		return e.Write([]record.Rec{e.One("res.users", p.user)}, record.Values{
			"group_ids": []record.Command{{Kind: record.LinkLine, ID: e.Ref("base.group_system").ID()}},
		})
	})
	if err != nil {
		n.t.Fatal(err)
	}
}

// until asks a node about a credential until it answers as it should.
func (n *nodes) until(t *testing.T, s *identity.Service, what string, h http.Header, want outcome, most time.Duration) {
	t.Helper()
	for end := time.Now().Add(most); ; time.Sleep(5 * time.Millisecond) {
		p, err := s.Identify(context.Background(), h, netip.Addr{})
		if want(p, err) {
			return
		}
		if !time.Now().Before(end) {
			t.Errorf("%s: after %v still %+v %v", what, most, p, err)
			return
		}
	}
}
