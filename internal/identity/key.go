package identity

import (
	"context"
	"encoding/hex"
	"strconv"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/iprange"
	"gatehouse/internal/sqldb"
)

// keyLength is the number of characters of an API key, 6 random bits each.
const keyLength = 64

// invalidKey is what is said of a text that is nobody's key.
const invalidKey = "Invalid API key"

// isKey takes keyLength characters of the URL-safe base64 alphabet (RFC 4648
// section 5).
func isKey(text string) bool {
	if len(text) != keyLength {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// keyEntry is a key as it was last read. It holds as long as keys and users
// stay the same.
type keyEntry struct {
	keys, users uint64
	expires     time.Time // zero: never
	principal   *Principal
}

// identifyKey finds the caller of a key, from memory if it was seen before.
func (s *Service) identifyKey(ctx context.Context, key string, now time.Time) (*Principal, error) {
	sum := digestOf(key)
	keys, users := s.keysGen.Load(), s.usersGen.Load()
	e, ok := s.keys.get(sum)
	if !ok || e.keys != keys || e.users != users {
		var err error
		if e, err = s.loadKeyOnce(ctx, sum, keys); err != nil {
			return nil, err
		}
	}
	if !e.expires.IsZero() && !now.Before(e.expires) {
		return nil, fault.New(fault.Unauthenticated, "API key has expired")
	}
	return e.principal, nil
}

// loadKeyOnce reads a key for all who ask for it at the same time.
func (s *Service) loadKeyOnce(ctx context.Context, sum digest, keys uint64) (*keyEntry, error) {
	name := "key " + hex.EncodeToString(sum[:]) + " " + strconv.FormatUint(keys, 10) + " " +
		strconv.FormatUint(s.usersGen.Load(), 10) // as for accounts
	v, err, _ := s.loads.Do(name, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTimeout)
		defer cancel()
		e, err := s.loadKey(ctx, sum, keys)
		if err != nil {
			s.keys.remove(sum)
			return nil, err
		}
		s.keys.put(sum, e)
		return e, nil
	})
	if err != nil {
		return nil, err
	}
	e, _ := v.(*keyEntry)
	return e, nil
}

// keyRow is a row of gateway_key.
type keyRow struct {
	id, userID int64
	scopes     string
	odooUID    int64 // as whom it calls the Odoo; 0: as its user
	odooLogin  string
	limits     Limits
	allowed    string
	expires    time.Time
	revoked    bool
}

func (s *Service) loadKey(ctx context.Context, sum digest, keys uint64) (*keyEntry, error) {
	var k *keyRow
	err := s.db.Read(ctx, func(q sqldb.Querier) error {
		return q.Query(ctx, `select id, user_id, scopes, limit_minute, limit_hour, limit_day, allowed_ips,
				expires_at, active, revoked_at, odoo_uid, odoo_login from gateway_key where key_hash = $1`,
			[]any{hex.EncodeToString(sum[:])}, func(r sqldb.Row) error {
				k = &keyRow{
					id: r.Int(0), userID: r.Int(1), scopes: r.Text(2),
					limits:  Limits{Minute: max(0, r.Int(3)), Hour: max(0, r.Int(4)), Day: max(0, r.Int(5))},
					allowed: r.Text(6), expires: r.Time(7), revoked: !r.Bool(8) || !r.Null(9),
					odooUID: r.Int(10), odooLogin: r.Text(11),
				}
				return nil
			})
	})
	switch {
	case err != nil:
		return nil, storeFault(err, "load an API key")
	case k == nil:
		return nil, fault.New(fault.Unauthenticated, invalidKey)
	case k.revoked:
		return nil, fault.New(fault.Unauthenticated, "API key has been revoked")
	}
	a, err := s.account(ctx, k.userID)
	if fault.Is(err, fault.NotFound) {
		return nil, inactiveUser()
	}
	if err != nil {
		return nil, err
	}
	p, err := k.principal(a)
	if err != nil {
		return nil, err
	}
	return &keyEntry{keys: keys, users: a.users, expires: k.expires, principal: p}, nil
}

// principal puts the key's own values over those of the user's profile.
func (k *keyRow) principal(a *account) (*Principal, error) {
	p := a.principal()
	p.Kind, p.CredentialID = APIKey, k.id
	p.Subject = "key:" + strconv.FormatInt(k.id, 10)
	p.Limits = k.limits.over(a.limits)
	p.Odoo = a.calling(k.odooUID, k.odooLogin)
	// A row that somebody wrote past the checks must not open anything: without
	// scopes that read nothing is allowed, and without a list nobody comes in.
	p.Scopes, _ = ParseScopes(k.scopes)
	own, err := iprange.ParseAllowList(k.allowed)
	if err != nil {
		return nil, fault.New(fault.Forbidden, "The allowed IPs of this API key are not valid").Because(err)
	}
	if len(own) > 0 {
		p.AllowedIPs = own
	}
	return p, nil
}
