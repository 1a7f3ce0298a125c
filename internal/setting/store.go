package setting

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/nearest"
	"gatehouse/internal/sqldb"
)

// Channel is the signal that the stored settings changed.
const Channel = "settings"

// revision is the row of gateway_setting that every change writes first, so
// that changes of several nodes follow one another and each sees the last one
// whole.
const revision = "_revision"

// Store is the stored settings and this node's copy of them. Safe for
// concurrent use.
type Store struct {
	db      sqldb.DB
	current atomic.Pointer[Settings]

	loading sync.Mutex // one load at a time, so that an older one never wins
	changed chan struct{}
	stop    func()
	done    chan struct{}
}

// Open makes the table where it is missing, loads the settings and keeps them
// current until Close.
func Open(ctx context.Context, db sqldb.DB) (*Store, error) {
	err := sqldb.Migrate(ctx, db, "setting", []sqldb.Step{{ID: "1 settings", Go: func(ctx context.Context, tx sqldb.Tx) error {
		d := tx.Dialect()
		_, err := tx.Exec(ctx, fmt.Sprintf(
			`create table gateway_setting (name %[1]s primary key, value %[1]s not null, updated_at %[2]s not null)`,
			d.ColumnType(sqldb.Text), d.ColumnType(sqldb.Timestamp)))
		return err
	}}})
	if err != nil {
		return nil, fault.Wrap(err, "make the table of settings")
	}
	s := &Store{db: db, changed: make(chan struct{}, 1), done: make(chan struct{})}
	stopWatch := db.Watch(func(channel string) {
		if channel == Channel || channel == "" {
			select {
			case s.changed <- struct{}{}:
			default: // one is due already
			}
		}
	})
	if err := s.load(ctx); err != nil {
		stopWatch()
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = func() { stopWatch(); cancel() }
	go s.follow(ctx)
	return s, nil
}

// Close ends what Open began. The settings stay readable.
func (s *Store) Close() {
	s.stop()
	<-s.done
}

// Current is the settings of this moment, without any query. Use one snapshot
// for the whole of a request.
func (s *Store) Current() *Settings { return s.current.Load() }

// List shows all settings with their defaults and current values.
func (s *Store) List() []Item { return s.Current().items() }

// Set changes settings: all of them, or none when one is wrong. A nil value
// goes back to the default. Texts are taken for every type, as a command line
// has them. The change holds on this node when Set returns. Unknown names and
// wrong values are BadRequest; of wrong values the details say which and why.
func (s *Store) Set(ctx context.Context, changes map[string]any) error {
	return s.SetBy(ctx, audit.Origin{}, changes)
}

// SetBy is Set on behalf of somebody, with an entry in the audit trail.
func (s *Store) SetBy(ctx context.Context, who audit.Origin, changes map[string]any) error {
	if err := checkNames(changes); err != nil {
		return err
	}
	if len(changes) == 0 {
		return nil
	}
	err := s.db.Write(ctx, func(tx sqldb.Tx) error {
		now := time.Now().UTC()
		if err := put(ctx, tx, revision, now.Format(time.RFC3339Nano), now); err != nil {
			return err
		}
		stored, err := rows(ctx, tx)
		if err != nil {
			return err
		}
		values, err := merge(stored, changes)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(changes)) {
			if v, ok := values[name]; ok {
				err = put(ctx, tx, name, v, now)
			} else {
				_, err = tx.Exec(ctx, `delete from gateway_setting where name = $1`, name)
			}
			if err != nil {
				return err
			}
		}
		if err := note(ctx, tx, who, now, read(stored), read(values)); err != nil {
			return err
		}
		return tx.Signal(ctx, Channel)
	})
	if err != nil {
		return fault.Wrap(err, "change settings")
	}
	return s.load(ctx)
}

// note keeps what changed in the audit trail.
func note(ctx context.Context, tx sqldb.Tx, who audit.Origin, at time.Time, was, is *Settings) error {
	before, after := map[string]any{}, map[string]any{}
	for _, d := range definitions() {
		if old, now := d.get(was), d.get(is); !reflect.DeepEqual(old, now) {
			before[d.name], after[d.name] = old, now
		}
	}
	if len(after) == 0 {
		return nil
	}
	return audit.Write(ctx, tx, who, at, audit.Entry{
		Model: audit.Settings, Name: "Settings", Action: "write", Before: before, After: after,
	})
}

// checkNames refuses names that no setting has.
func checkNames(changes map[string]any) error {
	all := definitions()
	names := make([]string, len(all))
	for i, d := range all {
		names[i] = d.name
	}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		if slices.Contains(names, name) {
			continue
		}
		hint := "known are " + strings.Join(names, ", ")
		if near := nearest.Word(name, names); near != "" {
			hint = "did you mean " + near + "?"
		}
		return fault.Newf(fault.BadRequest, "Unknown setting: %.100s; %s", name, hint)
	}
	return nil
}

// merge checks changes against the stored settings and gives what is to be
// stored then, defaults left out.
func merge(stored map[string]string, changes map[string]any) (map[string]string, error) {
	values := maps.Clone(stored)
	wrong := fault.FieldErrors{}
	for _, d := range definitions() {
		v, given := changes[d.name]
		if !given {
			continue
		}
		if v == nil {
			delete(values, d.name)
			continue
		}
		parsed, err := d.parse(v)
		if err != nil {
			wrong[d.name] = err.Error()
			continue
		}
		values[d.name] = encode(parsed)
	}
	if len(wrong) == 0 {
		wrong = read(values).check()
	}
	if len(wrong) == 0 {
		return values, nil
	}
	first := slices.Sorted(maps.Keys(wrong))[0]
	return nil, fault.Newf(fault.BadRequest, "Invalid setting: %s %s", first, wrong[first]).With(wrong)
}

// read makes a snapshot of stored values. What does not read (a newer version
// may have written it) counts as not set.
func read(stored map[string]string) *Settings {
	s := defaults()
	for _, d := range definitions() {
		if value, ok := stored[d.name]; ok {
			if v, err := d.parse(value); err == nil {
				d.set(s, v)
			}
		}
	}
	return s
}

func put(ctx context.Context, tx sqldb.Tx, name, value string, at time.Time) error {
	_, err := tx.Exec(ctx, `insert into gateway_setting (name, value, updated_at) values ($1, $2, $3)
		on conflict (name) do update set value = excluded.value, updated_at = excluded.updated_at`, name, value, at)
	return err
}

func rows(ctx context.Context, q sqldb.Querier) (map[string]string, error) {
	stored := map[string]string{}
	err := q.Query(ctx, `select name, value from gateway_setting`, nil, func(r sqldb.Row) error {
		if name := r.Text(0); name != revision {
			stored[name] = r.Text(1)
		}
		return nil
	})
	return stored, err
}

// load takes the stored settings over.
func (s *Store) load(ctx context.Context) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	var stored map[string]string
	err := s.db.Read(ctx, func(q sqldb.Querier) (err error) {
		stored, err = rows(ctx, q)
		return err
	})
	if err != nil {
		return fault.Wrap(err, "load settings")
	}
	s.current.Store(read(stored))
	return nil
}

// follow loads the settings whenever they changed, and tries again while the
// store is away: the last known ones hold until then.
func (s *Store) follow(ctx context.Context) {
	defer close(s.done)
	const pause = 500 * time.Millisecond
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.changed:
		}
		for s.load(ctx) != nil {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
		}
	}
}
