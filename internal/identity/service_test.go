package identity

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

func TestModels(t *testing.T) {
	for _, m := range schema.Prepare(Models()) {
		if !m.AdminOnly || m.Label == "" {
			t.Errorf("%s is not for administrators, or has no label", m.Name)
		}
		for _, f := range m.Fields {
			if f.Label == "" {
				t.Errorf("%s.%s has no label", m.Name, f.Name)
			}
			if strings.Contains(f.Name, "hash") && !f.Secret {
				t.Errorf("%s.%s can be read", m.Name, f.Name)
			}
		}
	}
}

func TestUsers(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		u, err := h.users.ByLogin(t.Context(), "mitchell")
		if err != nil || u.ID != mitchell || u.Name != "Mitchell Admin" || !u.Active || !u.Administrator || u.PasswordHash == "" {
			t.Errorf("%+v %v", u, err)
		}
		u, err = h.users.ByID(t.Context(), olga)
		if err != nil || u.Login != "olga" || u.Active || u.Administrator {
			t.Errorf("%+v %v", u, err)
		}
		if u, err = h.users.ByID(t.Context(), nobody); err != nil || u.Name != "nobody" || u.PasswordHash != "" {
			t.Errorf("%+v %v", u, err)
		}
		for _, login := range []string{"", "x", "Mitchell", "a\x00b", "\xff"} {
			if _, err := h.users.ByLogin(t.Context(), login); !fault.Is(err, fault.NotFound) {
				t.Errorf("%q: %v", login, err)
			}
		}
		if _, err := h.users.ByID(t.Context(), 99); !fault.Is(err, fault.NotFound) {
			t.Errorf("%v", err)
		}
	})
}

// Nothing may be left running when all is closed.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCloseWritesUsage(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		key, id := h.key(nil)
		s, err := New(t.Context(), db, NewUsers(db), Options{})
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.identifyKey(t.Context(), key, h.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		s.UsedFrom(p, here.IP, h.clock.Now())
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if n := h.number(`select cast(use_count as integer) from gateway_key where id = $1`, id); n != 1 {
			t.Errorf("used %d times: not written at Close", n)
		}
	})
}

func TestNewFails(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		h.exec(`update gateway_signing_key set secret = 'AAAA'`)
		if _, err := New(t.Context(), db, h.users, Options{}); !fault.Is(err, fault.Internal) {
			t.Errorf("a damaged key: %v", err)
		}
	})
}

// away is a database that cannot be reached.
type away struct{ sqldb.DB }

func (away) Read(context.Context, func(sqldb.Querier) error) error { return sqldb.ErrUnavailable }

// While the store is away, what is known stays good and what is not is 503.
func TestStoreAway(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		token, fresh := h.login("marc").AccessToken, h.login("odette").AccessToken
		known, _ := h.key(nil)
		h.accepts(h.bearer(token))
		h.accepts(h.who("X-Api-Key", known))
		h.Service.db, h.Service.users = away{db}, NewUsers(away{db})
		defer func() { h.Service.db = db }()
		h.accepts(h.bearer(token))
		h.accepts(h.who("X-Api-Key", known))
		for header, value := range map[string]string{"Authorization": "Bearer " + fresh, "X-Api-Key": strings.Repeat("b", 64)} {
			_, err := h.Identify(t.Context(), http.Header{header: {value}}, here.IP)
			if !fault.Is(err, fault.Unavailable) || !errors.Is(err, sqldb.ErrUnavailable) {
				t.Errorf("%s: %v", header, err)
			}
		}
	})
}
