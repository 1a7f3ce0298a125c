package identity

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

func cookie(token string) http.Header {
	return http.Header{"Cookie": {"theme=dark; " + SessionCookie + "=" + token + "; a=b"}}
}

func (h *house) session(login string) string {
	h.t.Helper()
	token, _, err := h.BeginSession(h.t.Context(), login, login, here)
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

func TestSession(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		token := h.session("mitchell")
		p := h.accepts(h.Identify(t.Context(), cookie(token), here.IP))
		if p.UserID != mitchell || p.Kind != Session || p.Subject != "session:2" || !p.Administrator || !p.Scopes.Allows(Need{Action: Admin}) {
			t.Errorf("%+v", p)
		}
		if n := h.number(`select count(*) from gateway_token where kind = 'session' and ip = '192.0.2.7'`); n != 1 {
			t.Errorf("%d sessions recorded", n)
		}

		// Each token is good in its own place only, seen there before or not.
		access := h.login("mitchell")
		for range 2 {
			h.refuses("Invalid token: an access token is needed", second(h.bearer(token)))
			h.refuses("Invalid cookie: the token of a session is needed", second(h.Identify(t.Context(), cookie(access.AccessToken), here.IP)))
			h.refuses("Invalid cookie: the token of a session is needed", second(h.Identify(t.Context(), cookie(access.RefreshToken), here.IP)))
			h.accepts(h.Identify(t.Context(), cookie(token), here.IP))
			h.accepts(h.bearer(access.AccessToken))
		}
		_, err := h.Refresh(t.Context(), token, here)
		h.refuses("Invalid token: a refresh token is needed", err)
		if _, err := h.beginAs("marc"); !fault.Is(err, fault.Forbidden) || err.Error() != "forbidden: Only administrators may sign in here" {
			t.Errorf("no administrator: %v", err)
		}
		both := cookie(token)
		both.Set("Authorization", "Bearer x")
		h.refuses("Invalid token", second(h.Identify(t.Context(), both, here.IP)))

		h.clock.Pass(SessionLife - time.Second)
		h.accepts(h.Identify(t.Context(), cookie(token), here.IP))
		h.clock.Pass(time.Second)
		h.refuses("Token has expired", second(h.Identify(t.Context(), cookie(token), here.IP)))
	})
}

// beginAs leaves out what the test does not look at.
func (h *house) beginAs(login string) (string, error) {
	token, _, err := h.BeginSession(h.t.Context(), login, login, here)
	return token, err
}

func second(_ *Principal, err error) error { return err }

func TestSessionEndsOnAllNodes(t *testing.T) {
	sqltest.EachPair(t, func(t *testing.T, db, other sqldb.DB) {
		h := buildPair(t, db, other)
		node := h.node()
		token, stays := h.session("mitchell"), h.session("mitchell")
		p := h.accepts(h.Identify(t.Context(), cookie(token), here.IP))
		h.accepts(node.Identify(t.Context(), cookie(token), here.IP))
		if err := h.EndSession(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		h.refuses("Token has been revoked", second(h.Identify(t.Context(), cookie(token), here.IP)))
		until := time.Now().Add(time.Second)
		for {
			_, err := node.Identify(t.Context(), cookie(token), here.IP)
			if err != nil {
				h.refuses("Token has been revoked", err)
				break
			}
			if time.Now().After(until) {
				t.Fatal("still good on the other node after a second")
			}
			time.Sleep(5 * time.Millisecond)
		}
		h.accepts(node.Identify(t.Context(), cookie(stays), here.IP))

		// For as long as it would have held, also for nodes that start later.
		h.clock.Pass(accessLife * 2)
		late := h.node()
		h.refuses("Token has been revoked", second(late.Identify(t.Context(), cookie(token), here.IP)))
		if err := late.poked(t); err != nil {
			t.Fatal(err)
		}
		h.refuses("Token has been revoked", second(late.Identify(t.Context(), cookie(token), here.IP)))
	})
}

// poked loads what a signal would make the service load.
func (s *Service) poked(t *testing.T) error { return s.load(t.Context()) }

func TestSessionIsThrottled(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		h := build(t, db)
		var err error
		for range 100 {
			if _, _, err = h.BeginSession(t.Context(), "mitchell", "wrong", here); !fault.Is(err, fault.Unauthenticated) {
				break
			}
		}
		if !fault.Is(err, fault.RateLimited) {
			t.Fatalf("guessing goes on: %v", err)
		}
		if _, _, err := h.Login(t.Context(), "mitchell", "mitchell", Meta{IP: netip.MustParseAddr("198.51.100.9")}); !fault.Is(err, fault.RateLimited) {
			t.Errorf("the other login does not know of it: %v", err)
		}
	})
}

func TestSessionCookie(t *testing.T) {
	for line, want := range map[string]string{
		"": "", "a=b": "", SessionCookie: "", SessionCookie + "=": "", SessionCookie + "=x": "x",
		"a=b;" + SessionCookie + "=x;c=d": "x", " " + SessionCookie + "=x ; c": "x",
		"x" + SessionCookie + "=x": "", SessionCookie + "=x; " + SessionCookie + "=y": "x",
		strings.ToUpper(SessionCookie) + "=x": "",
	} {
		if got := sessionCookie([]string{line}); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
