package sqldb

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// How often the listener compares versions: as a safety net beside the
// notifications, and where there are none. How long it waits before it
// connects again, at first and at most.
const (
	compareInterval = 5 * time.Second
	deafInterval    = 900 * time.Millisecond
	reconnectFirst  = 100 * time.Millisecond
	reconnectMost   = 2 * time.Second
)

func (db *postgresDB) Watch(fn func(channel string)) (stop func()) {
	stop = db.hub.watch(fn)
	db.listenOnce.Do(func() { db.background.Go(db.listen) })
	return stop
}

// listen keeps a connection of its own that hears notifications. What was
// signalled while there was none is found by comparing versions.
func (db *postgresDB) listen() {
	pause := reconnectFirst
	for lost := false; db.open.Err() == nil; lost = true {
		start := time.Now()
		_ = db.hear(db.open, lost) // whatever ended it: connect again
		if time.Since(start) > reconnectMost {
			pause = reconnectFirst
		}
		select {
		case <-time.After(pause):
		case <-db.open.Done():
		}
		pause = min(2*pause, reconnectMost)
	}
}

// hear listens until the connection breaks or ctx ends.
func (db *postgresDB) hear(ctx context.Context, lost bool) error {
	config := db.config.Copy()
	config.RuntimeParams["application_name"] += " listener"
	var payloads []string // heard while something else was read
	config.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) {
		payloads = append(payloads, n.Payload)
	}
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	c := newPostgresConn(conn)
	defer func() { _ = db.disconnect(c) }()
	interval := compareInterval
	if err := conn.Exec(ctx, "listen "+Quote(db.channel)).Close(); err != nil {
		if conn.IsClosed() {
			return err
		}
		interval = deafInterval // a standby has no notifications
	}
	q := &postgresReader{db: db, conn: c}
	compare := func() error {
		return db.hub.compare(func() (map[string]int64, error) {
			ctx, cancel := context.WithTimeout(ctx, endTimeout) // commits wait for it
			defer cancel()
			return signalVersions(ctx, q)
		})
	}
	if err := compare(); err != nil {
		return err
	}
	if lost {
		db.hub.tell("") // versions may have gone back with the server
	}
	next := time.Now().Add(interval)
	for {
		for _, p := range payloads {
			db.heard(p)
		}
		payloads = payloads[:0]
		if err := waitUntil(ctx, conn, next); err != nil {
			return err
		}
		if time.Now().Before(next) {
			continue
		}
		next = time.Now().Add(interval)
		if err := compare(); err != nil {
			return err
		}
	}
}

// waitUntil waits for a notification; it also returns nil at the deadline.
func waitUntil(ctx context.Context, conn *pgconn.PgConn, deadline time.Time) error {
	waiting, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	err := conn.WaitForNotification(waiting)
	if err != nil && ctx.Err() == nil && waiting.Err() != nil && !conn.IsClosed() {
		return nil
	}
	return err
}

// heard reads "node version channel". Our own signals have been told already.
func (db *postgresDB) heard(payload string) {
	node, rest, _ := strings.Cut(payload, " ")
	version, channel, ok := strings.Cut(rest, " ")
	if !ok || node == db.node {
		return
	}
	v, err := strconv.ParseInt(version, 10, 64)
	if err == nil && db.hub.learnNewer(channel, v) {
		db.hub.tell(channel)
	}
}
