package identity

import (
	"context"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/iprange"
	"gatehouse/internal/sqldb"
)

// KeySpec describes an API key to be made.
type KeySpec struct {
	UserID     int64
	Name       string
	Scopes     string    // as ParseScopes reads them
	Limits     Limits    // 0: the profile's
	AllowedIPs string    // as iprange.ParseAllowList reads it; "": the profile's
	ExpiresAt  time.Time // zero: never
	By         int64     // the user who makes it; 0: nobody, such as the command line
}

// check looks at all that needs no database.
func (k *KeySpec) check(resources []string, now time.Time) error {
	wrong := func(field, why string) error {
		return fault.New(fault.BadRequest, why).With(fault.FieldErrors{field: why})
	}
	switch {
	case k.Name == "":
		return wrong("name", "Missing required field: name")
	case k.UserID <= 0:
		return wrong("user_id", "Missing required field: user_id")
	case !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(now):
		return wrong("expires_at", "The expiry is in the past")
	}
	for field, limit := range map[string]int64{
		"limit_minute": k.Limits.Minute, "limit_hour": k.Limits.Hour, "limit_day": k.Limits.Day,
	} {
		if limit < 0 || limit > maxKeyLimit {
			return wrong(field, "A limit must be from 0 to "+strconv.Itoa(maxKeyLimit))
		}
	}
	if err := CheckAllowedIPs(k.AllowedIPs); err != nil {
		return wrong("allowed_ips", fault.From(err).Message)
	}
	if err := CheckScopes(k.Scopes, resources); err != nil {
		return wrong("scopes", fault.From(err).Message)
	}
	return nil
}

// maxKeyLimit is what limits are counted up to.
const maxKeyLimit = 1_000_000_000

// CheckAllowedIPs parses a list of allowed addresses and networks. The error is
// a BadRequest that says what is wrong.
func CheckAllowedIPs(text string) error {
	_, err := iprange.ParseAllowList(text)
	return err
}

// CheckScopes parses scopes and, when any resources are given, refuses those of
// other resources.
func CheckScopes(text string, resources []string) error {
	scopes, err := ParseScopes(text)
	if err != nil || len(resources) == 0 {
		return err
	}
	for _, r := range scopes.Resources() {
		if !slices.Contains(resources, r) {
			return fault.Newf(fault.BadRequest, "Unknown scope: there is no resource %.64s; %s", r, allowedScopes)
		}
	}
	return nil
}

// CreateKey makes an API key: keyLength URL-safe characters, which are nowhere
// kept and so can be shown this once only. BadRequest says what of the spec is
// wrong.
func (s *Service) CreateKey(ctx context.Context, spec KeySpec) (key string, id int64, err error) {
	err = s.db.Write(ctx, func(tx sqldb.Tx) (err error) {
		key, id, err = s.CreateKeyTx(ctx, tx, spec)
		return err
	})
	if err != nil {
		return "", 0, storeFault(err, "create an API key")
	}
	return key, id, nil
}

// CreateKeyTx is CreateKey inside a running transaction.
func (s *Service) CreateKeyTx(ctx context.Context, tx sqldb.Tx, spec KeySpec) (key string, id int64, err error) {
	now := s.clock.Now()
	if err := spec.check(s.resources, now); err != nil {
		return "", 0, err
	}
	if err := s.checkOwner(ctx, tx, spec.UserID); err != nil {
		return "", 0, err
	}
	key, hash := NewKey()
	var expires, by any
	if !spec.ExpiresAt.IsZero() {
		expires = spec.ExpiresAt.UTC()
	}
	if spec.By > 0 {
		by = spec.By
	}
	err = tx.Query(ctx, `insert into gateway_key (name, user_id, key_hash, prefix, scopes,
			limit_minute, limit_hour, limit_day, allowed_ips, expires_at, active, use_count,
			create_uid, create_date, write_uid, write_date)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, true, 0, $11, $12, $11, $12) returning id`,
		[]any{
			spec.Name, spec.UserID, hash, KeyPrefix(key), spec.Scopes,
			spec.Limits.Minute, spec.Limits.Hour, spec.Limits.Day, spec.AllowedIPs, expires, by, now,
		}, func(r sqldb.Row) error { id = r.Int(0); return nil })
	if err != nil {
		return "", 0, storeFault(err, "store an API key")
	}
	return key, id, storeFault(tx.Signal(ctx, KeysChanged), "announce an API key")
}

// checkOwner refuses users who do not exist or are archived. It looks inside
// the transaction where it can, which may have made the user.
func (s *Service) checkOwner(ctx context.Context, tx sqldb.Tx, id int64) error {
	find := s.users.ByID
	if inside, ok := s.users.(interface {
		byID(context.Context, sqldb.Querier, int64) (*User, error)
	}); ok {
		find = func(ctx context.Context, id int64) (*User, error) { return inside.byID(ctx, tx, id) }
	}
	u, err := find(ctx, id)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return storeFault(err, "find the user of a new key")
	}
	if err != nil || !u.Active {
		why := "User " + strconv.FormatInt(id, 10) + " does not exist or is archived"
		return fault.New(fault.BadRequest, why).With(fault.FieldErrors{"user_id": why})
	}
	return nil
}

// NewKey draws a key, and gives the hash under which gateway_key has it. None
// begins with '-', which command lines take for an option.
func NewKey() (key, hash string) {
	for key == "" || key[0] == '-' {
		key = clock.RandomURLSafe(keyLength)
	}
	return key, KeyHash(key)
}

// KeyHash is what gateway_key has in place of a key: its SHA-256 in
// hexadecimal. A key is random, so it needs no slow hash.
func KeyHash(key string) string {
	sum := digestOf(key)
	return hex.EncodeToString(sum[:])
}

// KeyPrefix is the part of a key that is kept, so that its owner recognises it:
// 48 of 384 random bits.
func KeyPrefix(key string) string { return key[:min(8, len(key))] }

// RevokeKey ends an API key for good, on all nodes within a second. Revoking it
// again changes nothing. NotFound when there is no such key.
func (s *Service) RevokeKey(ctx context.Context, id int64) error {
	err := s.db.Write(ctx, func(tx sqldb.Tx) error { return s.RevokeKeyTx(ctx, tx, id) })
	return storeFault(err, "revoke an API key")
}

// RevokeKeyTx is RevokeKey inside a running transaction.
func (s *Service) RevokeKeyTx(ctx context.Context, tx sqldb.Tx, id int64) error {
	n, err := tx.Exec(ctx, `update gateway_key set active = false, revoked_at = coalesce(revoked_at, $1), write_date = $1
		where id = $2`, s.clock.Now(), id)
	if err != nil {
		return storeFault(err, "revoke an API key")
	}
	if n == 0 {
		return fault.Newf(fault.NotFound, "API key %d does not exist", id)
	}
	return storeFault(tx.Signal(ctx, KeysChanged), "announce a revoked API key")
}
