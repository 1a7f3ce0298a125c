package sqldb

import (
	"context"
	"time"
)

// pollInterval is how soon signals of other processes are noticed.
const pollInterval = 200 * time.Millisecond

func (db *sqliteDB) Watch(fn func(channel string)) (stop func()) {
	stop = db.hub.watch(fn)
	db.pollOnce.Do(func() { db.poller.Go(db.poll) })
	return stop
}

// poll looks for commits of other processes and passes their signals on.
func (db *sqliteDB) poll() {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	last := int64(-1) // the first look always compares: Watch may come long after open
	for {
		select {
		case <-db.open.Done():
			return
		case <-ticker.C:
		}
		// errors wait for the next turn: they show in every other call as well
		version, err := db.version.read(db.open)
		if err == nil && version != last && db.compare(db.open) == nil {
			last = version
		}
	}
}

// compare uses the version's connection: callers who hold all the others may
// be waiting for the hub.
func (db *sqliteDB) compare(ctx context.Context) error {
	return db.hub.compare(func() (versions map[string]int64, err error) {
		err = db.version.with(ctx, func(c *sqliteConn) (err error) {
			versions, err = signalVersions(ctx, &sqliteReader{db: db, conn: c})
			return err
		})
		return versions, err
	})
}
