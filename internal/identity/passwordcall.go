package identity

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/netip"
	"strconv"
	"time"

	"gatehouse/internal/fault"
)

// Secret is what Odoo's older protocols send with every call: a user, by id or
// else by login, and a password. In place of it an API key of the user is good
// too, his own or a gateway key that runs as him.
type Secret struct {
	UserID   int64
	Login    string
	Password string
}

// proved is a password that was found right, from one network. It holds as
// long as the user has the same hash.
type proved struct {
	users     uint64
	stored    string
	made      time.Time
	principal *Principal
}

// IdentifyPassword finds the caller that a secret belongs to. A password that
// was right before, from the same network, costs neither a hash nor a query.
// Whatever is wrong is the same Unauthenticated; failures are counted as those
// of logins, and after too many it is RateLimited.
func (s *Service) IdentifyPassword(ctx context.Context, c Secret, ip netip.Addr) (*Principal, error) {
	p, known, err := s.keyAsPassword(ctx, c, ip)
	if known || err != nil {
		return p, err
	}
	now := s.clock.Now()
	// Before the memory is asked: else whoever is locked out could go on
	// guessing there, at no cost.
	if err := s.attempts.checkAddress(ip, now); err != nil {
		return nil, err
	}
	sum, users := s.proofOf(c, ip), s.usersGen.Load()
	e, found := s.proofs.get(sum)
	found = found && s.stillProved(e.principal.UserID, e.made, now)
	if found && e.users == users {
		return e.principal, nil
	}
	if found {
		if a, err := s.account(ctx, e.principal.UserID); err == nil &&
			subtle.ConstantTimeCompare([]byte(a.user.PasswordHash), []byte(e.stored)) == 1 {
			return s.prove(sum, a, e.made), nil
		}
		s.proofs.remove(sum)
	}
	a, err := s.passwordAccount(ctx, c, ip, now)
	if err != nil {
		return nil, err
	}
	return s.prove(sum, a, now), nil
}

// prove remembers a password that is right.
func (s *Service) prove(sum digest, a *account, made time.Time) *Principal {
	p := a.principal()
	p.Kind, p.Scopes = Password, AllScopes()
	p.Subject = "user:" + strconv.FormatInt(a.user.ID, 10)
	s.proofs.put(sum, &proved{users: a.users, stored: a.user.PasswordHash, made: made, principal: p})
	return p
}

// passwordAccount checks a password that is not known yet.
func (s *Service) passwordAccount(ctx context.Context, c Secret, ip netip.Addr, now time.Time) (*account, error) {
	login, check := c.Login, s.checkPassword
	if c.UserID != 0 {
		// Who does not exist is asked for all the same, under a name of his own.
		login, check = "#"+strconv.FormatInt(c.UserID, 10), s.localPassword
		u, err := s.users.ByID(ctx, c.UserID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, storeFault(err, "find the user of a password")
		}
		if u != nil {
			login = u.Login
		}
	}
	if err := s.attempts.check(login, ip, now); err != nil {
		s.attempts.failAddress(ip, now) // see IdentifyPassword: this was a guess at the memory
		return nil, err
	}
	u, err := check(ctx, login, c.Password, ip)
	if err == nil && u == nil {
		u, err = s.odooPasswordOf(ctx, c, login, ip)
	}
	if err != nil {
		return nil, err
	}
	a, err := s.account(ctx, u.ID)
	if fault.Is(err, fault.NotFound) {
		return nil, inactiveUser()
	}
	return a, err
}

// keyAsPassword identifies an API key that stands in place of a password. A
// text that only looks like a key is none: it may be somebody's password.
func (s *Service) keyAsPassword(ctx context.Context, c Secret, ip netip.Addr) (p *Principal, known bool, err error) {
	now := s.clock.Now()
	k, isUserKey := parseUserKey(c.Password)
	switch {
	case isKey(c.Password):
		p, err = s.identifyKey(ctx, c.Password, now)
	case isUserKey:
		k.asUID, k.asLogin = c.UserID, c.Login
		p, err = s.identifyUserKey(ctx, c.Password, k, ip, now)
	default:
		return nil, false, nil
	}
	if f := fault.From(err); err != nil && f.Kind == fault.Unauthenticated && f.Message == invalidKey {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	if !c.names(p) {
		return nil, false, wrongPassword()
	}
	return p, true, nil
}

// names says whether a secret is about a caller: by what he is here, or by
// what he is to the Odoo.
func (c *Secret) names(p *Principal) bool {
	if c.UserID != 0 {
		return c.UserID == p.UserID || p.Odoo != nil && c.UserID == p.Odoo.ID
	}
	return c.Login == p.Login || p.Odoo != nil && c.Login == p.Odoo.Login
}

// looksLikeKey says whether a password could be an API key. Clients go on
// sending keys that were deleted: that shall not lock their users out.
func looksLikeKey(password string) bool {
	_, isUserKey := parseUserKey(password)
	return isUserKey || isKey(password)
}

// proofOf is what a right password is remembered under. The network is part of
// it: what one knows from memory says nothing to guesses from elsewhere.
func (s *Service) proofOf(c Secret, ip netip.Addr) digest {
	h := sha256.New()
	h.Write(s.pepper[:])
	for _, part := range []string{strconv.FormatInt(c.UserID, 10), c.Login, network(ip).String(), c.Password} {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return digest(h.Sum(nil))
}

func wrongPassword() *fault.Error {
	return fault.New(fault.Unauthenticated, "Invalid login or password")
}
