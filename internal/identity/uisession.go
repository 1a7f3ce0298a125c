package identity

import (
	"context"
	"net/http"
	"strings"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// SessionCookie is the name of the cookie that holds the session of the pages.
const SessionCookie = "gatehouse_session"

// SessionLife is how long a session of the pages holds, used or not.
const SessionLife = 12 * time.Hour

// sessionLimits are those of the pages: they ask often for what they show, and
// shall not use up what their user may ask for by other credentials.
var sessionLimits = Limits{Minute: 600}

// BeginSession checks a password as Login does and gives the token of a
// session, which is good in the cookie and nowhere else. Users who are no
// administrators have no use for the pages: Forbidden.
func (s *Service) BeginSession(ctx context.Context, login, password string, meta Meta) (string, *Principal, error) {
	if err := s.attempts.check(login, meta.IP, s.clock.Now()); err != nil {
		return "", nil, err
	}
	user, err := s.checkPassword(ctx, login, password, meta.IP)
	if err != nil {
		return "", nil, err
	}
	who, err := s.signedIn(ctx, user)
	if err != nil {
		return "", nil, err
	}
	if !user.Administrator {
		return "", nil, fault.New(fault.Forbidden, "Only administrators may sign in here")
	}
	c := newClaims(sessionToken, user, clock.RandomHex(16), s.clock.Now())
	token, err := s.sign(c)
	if err != nil {
		return "", nil, err
	}
	err = s.db.Write(ctx, func(tx sqldb.Tx) error { return tx.Batch(ctx, []sqldb.Stmt{c.record(user, meta)}) })
	if err != nil {
		return "", nil, storeFault(err, "begin a session")
	}
	return token, who, nil
}

// EndSession revokes the session that the caller is here by. Callers with
// other credentials are here by none: BadRequest.
func (s *Service) EndSession(ctx context.Context, p *Principal) error {
	if p.Kind != Session {
		return fault.New(fault.BadRequest, "Only a session can be ended here: the request has no cookie "+SessionCookie)
	}
	return s.Logout(ctx, p, "")
}

// sessionCookie takes the token of a session out of the Cookie headers (RFC
// 6265 section 4.2.1). Of two with the name the first counts, as browsers send
// the one of the most specific path first.
func sessionCookie(values []string) string {
	for _, line := range values {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			if name, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && name == SessionCookie {
				return value
			}
		}
	}
	return ""
}

// HasSession says whether a request comes with a session of the pages and with
// no other credential.
func HasSession(h http.Header) bool {
	return h["Authorization"] == nil && h["X-Api-Key"] == nil && h["Cookie"] != nil && sessionCookie(h["Cookie"]) != ""
}
