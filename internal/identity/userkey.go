package identity

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// What a user's API key looks like, as Odoo makes them.
const (
	userKeyLength = 40                     // hexadecimal digits: 160 random bits
	userKeyIndex  = 8                      // of which the row is found by so many
	maxUserKey    = 10 + 1 + userKeyLength // with <uid>$
)

// userKey is a user's API key as a caller sends it.
type userKey struct {
	uid int64 // 0: not said
	key string
	// What an older protocol says beside it; an Odoo wants to know.
	asUID   int64
	asLogin string
}

// parseUserKey reads "<key>" or "<uid>$<key>". It takes one spelling only: a
// positive uid of 32 bits without leading zeros, and a key in lower case.
func parseUserKey(text string) (userKey, bool) {
	if len(text) < userKeyLength || len(text) > maxUserKey {
		return userKey{}, false
	}
	uid, key := text[:len(text)-userKeyLength], text[len(text)-userKeyLength:]
	for i := range len(key) {
		if c := key[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return userKey{}, false
		}
	}
	if uid == "" {
		return userKey{key: key}, true
	}
	digits, ok := strings.CutSuffix(uid, "$")
	if !ok || digits == "" || digits[0] == '0' {
		return userKey{}, false
	}
	var id int64
	for i := range len(digits) { // at most 10: no overflow
		if digits[i] < '0' || digits[i] > '9' {
			return userKey{}, false
		}
		id = id*10 + int64(digits[i]-'0')
	}
	return userKey{uid: id, key: key}, id <= math.MaxInt32
}

// userKeyEntry is a user's key that was checked. That it belongs to the stored
// hash holds for ever; the rest as long as keys and users stay the same.
type userKeyEntry struct {
	keys, users uint64
	id          int64
	stored      string    // the hash
	odoo        *odooKey  // of the Odoo; nil: a local key
	expires     time.Time // zero: never
	principal   *Principal
}

// wrongKey is a key that was refused, and why. It holds as long as keys and
// users stay the same.
type wrongKey struct {
	keys, users uint64
	why         string
	until       time.Time // when the Odoo is to be asked again; zero: never
}

// identifyUserKey finds the caller of a user's key, from memory if it was seen
// before. Only what was never seen costs a hash.
func (s *Service) identifyUserKey(ctx context.Context, token string, k userKey, ip netip.Addr, now time.Time) (*Principal, error) {
	sum := s.userKeyDigest(token, k)
	keys, users := s.keysGen.Load(), s.usersGen.Load()
	e, known := s.userKeys.get(sum)
	if !known || e.keys != keys || e.users != users || !e.odoo.holds(now) {
		if w, ok := s.wrongKeys.get(sum); ok && w.keys == keys && w.users == users && (w.until.IsZero() || now.Before(w.until)) {
			return nil, fault.New(fault.Unauthenticated, w.why)
		}
		var err error
		if e, err = s.loadUserKeyOnce(ctx, sum, k, e, ip, keys, users); err != nil {
			return nil, err
		}
	}
	if !e.expires.IsZero() && !now.Before(e.expires) {
		return nil, fault.New(fault.Unauthenticated, "API key has expired")
	}
	return e.principal, nil
}

// loadUserKeyOnce checks a key for all who send it at the same time. known is
// what was found before the last change, if anything.
func (s *Service) loadUserKeyOnce(
	ctx context.Context, sum digest, k userKey, known *userKeyEntry, ip netip.Addr, keys, users uint64,
) (*userKeyEntry, error) {
	name := "user key " + hex.EncodeToString(sum[:]) + " " + strconv.FormatUint(keys, 10) + " " +
		strconv.FormatUint(users, 10) // as for accounts
	v, err, _ := s.loads.Do(name, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.keyTimeout())
		defer cancel()
		e, err := s.loadUserKey(ctx, k, known, ip, keys)
		if err != nil {
			s.userKeys.remove(sum)
			if f := fault.From(err); f.Kind == fault.Unauthenticated {
				s.wrongKeys.put(sum, s.wrongKey(keys, users, f.Message))
			}
			return nil, err
		}
		s.userKeys.put(sum, e)
		return e, nil
	})
	if err != nil {
		return nil, err
	}
	e, _ := v.(*userKeyEntry)
	return e, nil
}

// userKeyRow is a row of res_users_apikeys.
type userKeyRow struct {
	id, userID int64
	otherScope bool
	expires    time.Time
	stored     string
}

// loadUserKey finds the row of a key and its user. What is wrong with a key is
// told only to who has it; all others are told the same.
func (s *Service) loadUserKey(ctx context.Context, k userKey, known *userKeyEntry, ip netip.Addr, keys uint64) (*userKeyEntry, error) {
	rows, err := s.userKeyRows(ctx, k)
	if err != nil {
		return nil, storeFault(err, "load API keys of users")
	}
	row := unchanged(rows, known)
	if row == nil && (len(rows) > 0 || s.directory == nil) { // else the Odoo is asked
		if row, err = s.matchUserKey(ctx, rows, k.key, ip); err != nil {
			return nil, err
		}
	}
	switch {
	case row == nil && s.directory != nil:
		return s.loadOdooKey(ctx, k, ip, keys)
	case row == nil:
		return nil, fault.New(fault.Unauthenticated, invalidKey)
	case row.otherScope:
		return nil, fault.New(fault.Unauthenticated, "This API key is for another purpose: its scope is not rpc")
	case !row.expires.IsZero() && !s.clock.Now().Before(row.expires):
		return nil, fault.New(fault.Unauthenticated, "API key has expired")
	}
	a, err := s.account(ctx, row.userID)
	if fault.Is(err, fault.NotFound) {
		return nil, inactiveUser()
	}
	if err != nil {
		return nil, err
	}
	p := a.principal()
	p.Kind, p.CredentialID, p.Scopes = UserKey, row.id, AllScopes()
	p.Subject = "user:" + strconv.FormatInt(row.userID, 10)
	return &userKeyEntry{
		keys: keys, users: a.users, id: row.id, stored: row.stored, expires: row.expires, principal: p,
	}, nil
}

// userKeyRows are the rows that a key may be of: those of its index, and of the
// user that is named.
func (s *Service) userKeyRows(ctx context.Context, k userKey) (rows []userKeyRow, err error) {
	err = s.db.Read(ctx, func(q sqldb.Querier) error {
		rows = nil
		return q.Query(ctx, `select id, user_id, scope, expiration_date, "key" from res_users_apikeys
				where "index" = $1 and ($2 = 0 or user_id = $2) order by id`,
			[]any{k.key[:userKeyIndex], k.uid}, func(r sqldb.Row) error {
				rows = append(rows, userKeyRow{
					id: r.Int(0), userID: r.Int(1), otherScope: !r.Null(2) && r.Text(2) != "rpc",
					expires: r.Time(3), stored: r.Text(4),
				})
				return nil
			})
	})
	return rows, err
}

// unchanged is the row that a key was found in before, if it still has the
// hash that the key was checked against: then it need not be checked again.
func unchanged(rows []userKeyRow, known *userKeyEntry) *userKeyRow {
	for i := range rows {
		if r := &rows[i]; known != nil && r.id == known.id &&
			subtle.ConstantTimeCompare([]byte(r.stored), []byte(known.stored)) == 1 {
			return r
		}
	}
	return nil
}

// matchUserKey finds the row whose hash is that of the key, or nil. One hash is
// computed where there is no row, so that the time does not tell.
func (s *Service) matchUserKey(ctx context.Context, rows []userKeyRow, key string, ip netip.Addr) (*userKeyRow, error) {
	if err := s.guesses.check(ip, s.clock.Now()); err != nil {
		return nil, err
	}
	release, err := s.keyHashes.acquire(ctx)
	if err != nil {
		return nil, &fault.Error{
			Kind: fault.Unavailable, Message: "Too many new API keys at once", RetryAfter: time.Second, Cause: err,
		}
	}
	defer release()
	// Again, and under the slot until the outcome is counted, as for logins.
	if err := s.guesses.take(ip, s.clock.Now()); err != nil {
		return nil, err
	}
	for i := range rows {
		if ok, err := s.keyHashes.compare(key, rows[i].stored); ok || err != nil {
			return &rows[i], err
		}
	}
	if len(rows) == 0 {
		if _, err := s.keyHashes.compare(key, ""); err != nil {
			return nil, err
		}
	}
	if s.directory == nil { // else it is not known yet
		s.guesses.fail(ip, s.clock.Now())
	}
	return nil, nil //nolint:nilnil // no row is an answer
}
