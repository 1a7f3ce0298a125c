// Package audit keeps gateway.audit: which change of policy was made by whom,
// from where, and what was there before. The row is written in the transaction
// of the change: an undone change leaves none, a kept one is never without.
package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"net/netip"
	"time"

	"gatehouse/internal/sqldb"
)

// Via is the door that a change came through.
type Via string

// The doors. The zero value is the program's own work, such as its first
// records, of which nothing is kept.
const (
	API    Via = "api"
	CLI    Via = "cli"
	System Via = "system" // a decision of Gatehouse itself that an administrator should see
)

// Origin says who makes a change and from where. It is a plain value; the zero
// one keeps no trace.
type Origin struct {
	Via    Via
	UserID int64  // 0: none, as on the command line
	Login  string // of the user, or of the operating system's user
	// Credential is its kind, CredentialID its row; "" and 0 where there is none.
	Credential   string
	CredentialID int64
	IP           netip.Addr
	RequestID    string
}

// Entry is one changed record. Before and After hold the changed fields only,
// without anything secret; nil where there is nothing.
type Entry struct {
	Model         string
	ID            int64 // 0: no record, as for settings
	Name          string
	Action        string // create, write, unlink, or the method that was called
	Before, After map[string]any
}

// Masked stands for what must not be kept: it says only that something was there.
const Masked = "***"

// maxText bounds the texts that come from outside.
const maxText = 256

// Write keeps entries in the transaction of their changes. Without a door
// nothing is kept.
func Write(ctx context.Context, tx sqldb.Tx, o Origin, at time.Time, entries ...Entry) error {
	if o.Via == "" || len(entries) == 0 {
		return nil
	}
	stmts := make([]sqldb.Stmt, len(entries))
	for i, n := range entries {
		before, err := encode(n.Before)
		if err != nil {
			return err
		}
		after, err := encode(n.After)
		if err != nil {
			return err
		}
		stmts[i] = sqldb.Stmt{
			SQL: `insert into gateway_audit (at, user_id, login, credential, credential_id, ip, request_id, origin,
				model, res_id, name, action, before, after)
				values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			Args: []any{
				at.UTC(), number(o.UserID), text(o.Login), text(o.Credential), number(o.CredentialID), address(o.IP),
				text(o.RequestID), string(o.Via), n.Model, number(n.ID), text(n.Name), n.Action, before, after,
			},
		}
	}
	return tx.Batch(ctx, stmts)
}

// Vacuum deletes the entries from before a moment and gives their number.
func Vacuum(ctx context.Context, db sqldb.DB, before time.Time) (deleted int64, err error) {
	const atOnce = 10_000 // so that nobody waits long for a lock
	for {
		var n int64
		err := db.Write(ctx, func(tx sqldb.Tx) (err error) {
			n, err = tx.Exec(ctx, `delete from gateway_audit where id in (
				select id from gateway_audit where at < $1 order by at limit 10000)`, before.UTC())
			return err
		})
		deleted += n
		if err != nil || n < atOnce {
			return deleted, err
		}
	}
}

func encode(values map[string]any) (any, error) {
	if values == nil {
		return nil, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(values); err != nil {
		return nil, err
	}
	return string(bytes.ReplaceAll(bytes.TrimSpace(b.Bytes()), []byte(`\u0000`), nil)), nil // jsonb takes no NUL
}

func address(ip netip.Addr) any {
	if !ip.IsValid() {
		return nil
	}
	return ip.String()
}

func number(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

func text(s string) any {
	if s == "" {
		return nil
	}
	if r := []rune(s); len(r) > maxText {
		return string(r[:maxText])
	}
	return s
}
