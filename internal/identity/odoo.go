package identity

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// Directory is an Odoo whose users may call: who they are, it knows. All its
// errors but Unauthenticated say that it could not be asked.
type Directory interface {
	// Login gives the local id of the user whom a login and password open. What
	// the password opened is kept for his calls.
	Login(ctx context.Context, login, password string, from netip.Addr) (int64, error)
	// Key gives the local id of the user whose API key it is. uid and login are
	// what the caller says of him, 0 and "" where he does not. An Unauthenticated
	// because of ErrWhose is no wrong key: the Odoo wants to be told.
	Key(ctx context.Context, uid int64, login, key string, from netip.Addr) (int64, error)
	// Attached is the user of the Odoo as whom a local one calls; nil: none.
	Attached(ctx context.Context, userID int64) (*Person, error)
	// Ended says that a user of the Odoo has logged out everywhere.
	Ended(ctx context.Context, userID int64) error
}

// ErrWhose is the cause where an Odoo does not tell whose a key is.
var ErrWhose = errors.New("the user of the key is not said")

// Person is a user as callers are told of him: of the Odoo, if his calls go there.
type Person struct {
	ID          int64
	Login, Name string
}

// odooUsers is where the ids begin that users of the Odoo have here.
const odooUsers = 1_000_000_000

// maxOdooUID is the highest id of a user of the Odoo: ids have 32 bits.
const maxOdooUID = math.MaxInt32 - odooUsers

// OdooUser is the id that the Odoo's user uid has here.
func OdooUser(uid int64) int64 { return odooUsers + uid }

// OdooUID is the id that a user has in the Odoo; false for a local one.
func OdooUID(id int64) (uid int64, ok bool) { return id - odooUsers, id > odooUsers }

// OdooLogin is the login under which a user of the Odoo is known here where a
// local user has his.
func OdooLogin(uid int64, login string) string { return login + odooMark(uid) }

func odooMark(uid int64) string { return " (Odoo " + strconv.FormatInt(uid, 10) + ")" }

// person is who a user of the Odoo is there; nil for a local one.
func (u *User) person() *Person {
	uid, ok := OdooUID(u.ID)
	if !ok {
		return nil
	}
	return &Person{ID: uid, Login: strings.TrimSuffix(u.Login, odooMark(uid)), Name: u.Name}
}

// Calling is the id that the caller of an older protocol gives as his user's
// from now on. Of a local user with a password it is his own here, as who he
// is to the Odoo does not tell which local user he is.
func (p *Principal) Calling() int64 {
	if _, ok := OdooUID(p.UserID); !ok && p.Kind == Password {
		return p.UserID
	}
	return p.Person().ID
}

// signedIn is a user as he is told of himself.
func (s *Service) signedIn(ctx context.Context, u *User) (*Principal, error) {
	p := &Principal{UserID: u.ID, Login: u.Login, Name: u.Name, Administrator: u.Administrator}
	if s.directory != nil {
		a, err := s.account(ctx, u.ID)
		if err != nil {
			return nil, err
		}
		p.Odoo = a.odoo
	}
	return p, nil
}

// calling is as whom a credential calls the Odoo, which may name a user of its own.
func (a *account) calling(uid int64, login string) *Person {
	if uid == 0 {
		return a.odoo
	}
	return &Person{ID: uid, Login: login, Name: login}
}

const (
	// maxAsks is how many logins, and how many keys, the Odoo is asked about at a
	// time. So many may fail beyond a limit of failures, as they are counted when it answers.
	maxAsks = 4
	// odooKeyLife is how long a key that the Odoo knows, or does not, is not
	// asked about again; odooPasswordLife the same of a right password.
	odooKeyLife      = time.Minute
	odooPasswordLife = 5 * time.Minute
)

// ask takes a slot to ask the Odoo.
func ask(ctx context.Context, slots chan struct{}) (release func(), err error) {
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, fault.New(fault.Unavailable, "Waited too long for the Odoo to check a credential").Because(ctx.Err())
	}
}

// keyTimeout bounds the wait for a key of a user. An Odoo has its own limits.
func (s *Service) keyTimeout() time.Duration {
	if s.directory != nil {
		return time.Minute
	}
	return loadTimeout
}

// odooPassword finds the user of the Odoo whom a login and password open.
// Failures are counted as those of local logins, and the Odoo is not asked
// where there were too many.
func (s *Service) odooPassword(ctx context.Context, login, password string, ip netip.Addr) (*User, error) {
	_, isKey := parseUserKey(password) // it was asked about as such
	if isKey || login == "" || len(login) > maxLogin || password == "" || len(password) > MaxPassword {
		s.failedLogin(login, password, ip)
		return nil, wrongPassword()
	}
	release, err := ask(ctx, s.loginAsks)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := s.attempts.check(login, ip, s.clock.Now()); err != nil { // again, now that it is our turn
		return nil, err
	}
	id, err := s.directory.Login(ctx, login, password, ip)
	if fault.Is(err, fault.Unauthenticated) {
		s.failedLogin(login, password, ip)
		return nil, wrongPassword().Because(err)
	}
	if err != nil {
		return nil, err
	}
	s.attempts.succeed(login)
	return s.odooUser(ctx, id)
}

// odooUser is a user whom the Odoo has vouched for. Here he may be archived.
func (s *Service) odooUser(ctx context.Context, id int64) (*User, error) {
	u, err := s.users.ByID(ctx, id)
	if err != nil {
		return nil, storeFault(err, "find a user of the Odoo")
	}
	if !u.Active {
		return nil, inactiveUser()
	}
	return u, nil
}

// odooPasswordOf is odooPassword for a secret that names its user by id. known
// is what its local user is called.
func (s *Service) odooPasswordOf(ctx context.Context, c Secret, known string, ip netip.Addr) (*User, error) {
	if s.directory == nil {
		return nil, wrongPassword()
	}
	var u *User
	err := noUser()
	if c.UserID > 0 && c.UserID <= maxOdooUID {
		u, err = s.users.ByID(ctx, OdooUser(c.UserID))
	}
	if fault.Is(err, fault.NotFound) { // he has never signed in
		s.failedLogin(known, c.Password, ip)
		return nil, wrongPassword()
	}
	if err != nil {
		return nil, storeFault(err, "find the user of a password")
	}
	found, err := s.odooPassword(ctx, u.person().Login, c.Password, ip)
	if err == nil && found.ID != u.ID {
		return nil, wrongPassword()
	}
	return found, err
}

// stillProved says whether a password that was right need not be asked about
// again: local ones hold until they change.
func (s *Service) stillProved(userID int64, made, now time.Time) bool {
	if _, ok := OdooUID(userID); !ok {
		return true
	}
	denied, ok := s.denied.get(userID)
	return now.Before(made.Add(odooPasswordLife)) && (!ok || made.After(denied))
}

// odooKey is a key that the Odoo has vouched for.
type odooKey struct {
	userID int64
	until  time.Time
	gone   atomic.Bool // the Odoo has refused it since
}

// holds says whether the Odoo need not be asked; of local keys (nil) it never is.
func (k *odooKey) holds(now time.Time) bool {
	return k == nil || now.Before(k.until) && !k.gone.Load()
}

// userKeyDigest is what is known of a key is kept under. Beside the key it is
// what the caller says of its user, where an Odoo looks at that.
func (s *Service) userKeyDigest(token string, k userKey) digest {
	if s.directory == nil || k.asUID == 0 && k.asLogin == "" {
		return digestOf(token)
	}
	return digestOf(token + "\x00" + strconv.FormatInt(k.asUID, 10) + "\x00" + k.asLogin)
}

// wrongKey is what to remember of a key that was refused.
func (s *Service) wrongKey(keys, users uint64, why string) wrongKey {
	w := wrongKey{keys: keys, users: users, why: why}
	if s.directory != nil { // it may be made at any time
		w.until = s.clock.Now().Add(odooKeyLife)
	}
	return w
}

// loadOdooKey finds the caller of a key that is not a local one.
func (s *Service) loadOdooKey(ctx context.Context, k userKey, ip netip.Addr, keys uint64) (*userKeyEntry, error) {
	known, err := s.odooKey(ctx, k, ip)
	if err != nil {
		return nil, err
	}
	a, err := s.account(ctx, known.userID)
	if fault.Is(err, fault.NotFound) {
		return nil, inactiveUser()
	}
	if err != nil {
		return nil, err
	}
	p := a.principal()
	p.Kind, p.Scopes, p.Key = UserKey, AllScopes(), k.key
	p.Subject = "user:" + strconv.FormatInt(known.userID, 10)
	return &userKeyEntry{keys: keys, users: a.users, odoo: known, principal: p}, nil
}

// odooKey asks the Odoo whose a key is, unless that is known.
func (s *Service) odooKey(ctx context.Context, k userKey, ip netip.Addr) (*odooKey, error) {
	sum := digestOf(k.key)
	uid := cmp.Or(k.uid, k.asUID)
	if uid < 0 || uid > maxOdooUID {
		s.guesses.fail(ip, s.clock.Now())
		return nil, fault.New(fault.Unauthenticated, invalidKey)
	}
	known, ok := s.odooKeys.get(sum)
	ok = ok && !known.gone.Load() && (uid == 0 || known.userID == OdooUser(uid))
	if ok && known.holds(s.clock.Now()) {
		return known, nil
	}
	release, err := ask(ctx, s.keyAsks)
	if err != nil {
		return nil, err
	}
	defer release()
	if !ok { // one that was right does not wait for what others guess
		if err := s.guesses.take(ip, s.clock.Now()); err != nil {
			return nil, err
		}
	}
	asked := s.clock.Now()
	id, err := s.directory.Key(ctx, uid, k.asLogin, k.key, ip)
	switch {
	case errors.Is(err, ErrWhose):
		return nil, err
	case fault.Is(err, fault.Unauthenticated):
		s.guesses.fail(ip, s.clock.Now())
		return nil, fault.New(fault.Unauthenticated, invalidKey).Because(err)
	case err != nil:
		return nil, err
	case uid != 0 && id != OdooUser(uid):
		s.guesses.fail(ip, s.clock.Now())
		return nil, fault.New(fault.Unauthenticated, invalidKey)
	}
	known = &odooKey{userID: id, until: asked.Add(odooKeyLife)}
	s.odooKeys.put(sum, known)
	return known, nil
}

// Denied says that the Odoo has refused a call of a user, made with his own
// key or, for "", with what his password opened: he is asked for it again at
// his next request.
func (s *Service) Denied(userID int64, key string) {
	if key == "" {
		s.denied.put(userID, s.clock.Now())
		return
	}
	if known, ok := s.odooKeys.get(digestOf(key)); ok {
		known.gone.Store(true)
	}
}

// endedOdoo lets go of what the password of a user of the Odoo has opened,
// when no token of his is left.
func (s *Service) endedOdoo(ctx context.Context, userID int64) error {
	if _, ok := OdooUID(userID); !ok || s.directory == nil {
		return nil
	}
	alive := false
	err := s.db.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, `select 1 from gateway_token where user_id = $1 and revoked_at is null and used_at is null
				and client_id is null and expires_at > $2 limit 1`,
			[]any{userID, s.clock.Now()}, func(sqldb.Row) error { alive = true; return nil })
	})
	if alive || err != nil {
		return storeFault(err, "look for other sessions")
	}
	s.denied.put(userID, s.clock.Now())
	return s.directory.Ended(ctx, userID)
}
