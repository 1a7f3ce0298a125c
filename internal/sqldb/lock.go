package sqldb

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
)

// Lock keeps others with the same name waiting until the transaction ends. On
// SQLite every writer is alone anyway.
func Lock(ctx context.Context, tx Tx, name string) error {
	if tx.Dialect().Name() != "postgres" {
		return nil
	}
	return tx.Query(ctx, "select pg_advisory_xact_lock(cast($1 as bigint) # hashtext(current_schema()))", []any{lockNumber(name)}, nil)
}

// TryLock is Lock that does not wait: it says whether it got the lock.
func TryLock(ctx context.Context, tx Tx, name string) (got bool, err error) {
	if tx.Dialect().Name() != "postgres" {
		return true, nil
	}
	err = tx.Query(ctx, "select pg_try_advisory_xact_lock(cast($1 as bigint) # hashtext(current_schema()))", []any{lockNumber(name)}, func(r Row) error {
		got = r.Bool(0)
		return nil
	})
	return got, err
}

// lockNumber stands for a name, among those of the schema. Locks of one number
// and of two (see lockComponent) are never the same.
func lockNumber(name string) int64 {
	sum := sha256.Sum256([]byte("gatehouse\x00" + name))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}
