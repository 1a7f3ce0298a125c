package sqldb

import (
	"context"
	"slices"
	"sync"
)

// hub passes signals to the watchers of this process. It knows the version of
// every channel, so that a signal is heard once: those of this process right
// after their commit, those of others when a listener or a comparison finds
// them.
type hub struct {
	// committing is held for reading from before a commit that signals until
	// its versions are known here. A comparison holds it alone, and so never
	// takes this process's own commits for those of others.
	committing sync.RWMutex

	mu       sync.Mutex
	watchers []*watcher
	known    map[string]int64
}

type watcher struct{ fn func(string) }

func newHub() *hub { return &hub{known: make(map[string]int64)} }

func (h *hub) watch(fn func(string)) (stop func()) {
	w := &watcher{fn}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watchers = append(slices.Clone(h.watchers), w)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.watchers = slices.DeleteFunc(slices.Clone(h.watchers), func(o *watcher) bool { return o == w })
	}
}

// tell calls every watcher with every channel, without holding a lock.
func (h *hub) tell(channels ...string) {
	if len(channels) == 0 {
		return
	}
	h.mu.Lock()
	watchers := h.watchers // never changed in place
	h.mu.Unlock()
	for _, channel := range channels {
		for _, w := range watchers {
			w.fn(channel)
		}
	}
}

// learn notes versions and gives the channels that were not known to have them.
func (h *hub) learn(versions map[string]int64) (changed []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for channel, version := range versions {
		if h.known[channel] != version {
			h.known[channel] = version
			changed = append(changed, channel)
		}
	}
	return changed
}

// learnNewer is learn for news that may arrive out of order.
func (h *hub) learnNewer(channel string, version int64) (changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known[channel] >= version {
		return false
	}
	h.known[channel] = version
	return true
}

// compare reads the versions from the database and tells what changed.
func (h *hub) compare(read func() (map[string]int64, error)) error {
	h.committing.Lock()
	versions, err := read()
	var changed []string
	if err == nil {
		changed = h.learn(versions)
	}
	h.committing.Unlock()
	h.tell(changed...)
	return err
}

// commit runs a commit that signals channels; it gives their new versions.
func (h *hub) commit(signals bool, commit func() (map[string]int64, error)) error {
	if !signals {
		_, err := commit()
		return err
	}
	h.committing.RLock()
	defer h.committing.RUnlock()
	versions, err := commit()
	if err != nil {
		return err
	}
	for channel, version := range versions {
		h.learnNewer(channel, version)
	}
	return nil
}

// bumpSignal gives the new version of a channel.
const bumpSignal = `insert into gateway_signal(channel, version) values ($1, 1)
	on conflict (channel) do update set version = gateway_signal.version + 1
	returning version`

// createSignals makes the table of signals when it is absent.
func createSignals(ctx context.Context, tx Tx) error {
	if found, err := TableExists(ctx, tx, "gateway_signal"); found || err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `create table if not exists gateway_signal(
		channel text not null primary key, version bigint not null)`)
	return err
}

// signalVersions reads all versions; without the table there are none.
func signalVersions(ctx context.Context, q Querier) (map[string]int64, error) {
	found, err := TableExists(ctx, q, "gateway_signal")
	if !found || err != nil {
		return nil, err
	}
	versions := make(map[string]int64)
	err = q.Query(ctx, "select channel, version from gateway_signal", nil, func(r Row) error {
		versions[r.Text(0)] = r.Int(1)
		return nil
	})
	return versions, err
}
