package throttle

import (
	"cmp"
	"container/list"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse/internal/audit"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

const (
	maxTallies = 20_000 // addresses whose violations are counted in memory
	maxShared  = 1000   // addresses that are written at once, those with most violations first
	chunk      = 250    // addresses of one statement
	buckets    = 12     // into which the window is divided in the store
)

// Violations live in two places. Each node counts in memory, and writes what
// came since to the table gateway_violation, whose sums decide: so violations
// that are spread over nodes come together.
//
// An address is written once it has a tenth of the violations that block it:
// a flood of addresses with a few violations each leaves no trace in the store.
// For that, an address may have somewhat more violations than the rule says if
// some nodes saw less than a tenth of them. The window slides in steps of a
// twelfth of its length, and never counts less than the last whole window.

// tallies counts violations in memory. When there are too many addresses, the
// one that was quiet for longest is forgotten.
type tallies struct {
	mu    sync.Mutex
	byNet map[netip.Prefix]*list.Element
	order list.List // of *offender, the most recent first
}

// offender is what this node knows of an address.
type offender struct {
	network netip.Prefix
	pending int       // violations that are not written yet
	known   int       // of all nodes, at the last write
	since   time.Time // when this node began to count
}

// add counts a violation and says whether it may be the one that blocks.
func (t *tallies) add(network netip.Prefix, rule BlockRule, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	y := t.of(network, now)
	if now.Sub(y.since) > rule.Window {
		y.pending, y.known, y.since = 0, 0, now
	}
	y.pending++
	return y.pending+y.known >= rule.Violations
}

// of finds the offender of an address or begins one; t.mu is held.
func (t *tallies) of(network netip.Prefix, now time.Time) *offender {
	if e := t.byNet[network]; e != nil {
		t.order.MoveToFront(e)
		y, _ := e.Value.(*offender)
		return y
	}
	if t.byNet == nil {
		t.byNet = map[netip.Prefix]*list.Element{}
	}
	if len(t.byNet) >= maxTallies {
		t.drop(t.order.Back())
	}
	y := &offender{network: network, since: now}
	t.byNet[network] = t.order.PushFront(y)
	return y
}

func (t *tallies) drop(e *list.Element) {
	if y, ok := t.order.Remove(e).(*offender); ok {
		delete(t.byNet, y.network)
	}
}

// forget drops the addresses that are blocked now.
func (t *tallies) forget(blocks []Block) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range blocks {
		if e := t.byNet[b.Network]; e != nil {
			t.drop(e)
		}
	}
}

// shared is what is written of an address.
type shared struct {
	network netip.Prefix
	text    string
	count   int
}

// take gives what is to be written, in the order of the texts, and counts it
// as written.
func (t *tallies) take(rule BlockRule) []shared {
	t.mu.Lock()
	defer t.mu.Unlock()
	least := max(1, rule.Violations/10)
	var all []*offender
	for e := t.order.Front(); e != nil; e = e.Next() {
		y, _ := e.Value.(*offender)
		if y.pending >= least || y.pending > 0 && y.known > 0 {
			all = append(all, y)
		}
	}
	if len(all) > maxShared {
		slices.SortFunc(all, func(a, b *offender) int { return cmp.Compare(b.pending+b.known, a.pending+a.known) })
		all = all[:maxShared]
	}
	taken := make([]shared, len(all))
	for i, y := range all {
		taken[i] = shared{y.network, NetworkText(y.network), y.pending}
		y.known += y.pending
		y.pending = 0
	}
	slices.SortFunc(taken, func(a, b shared) int { return strings.Compare(a.text, b.text) })
	return taken
}

// giveBack takes over what could not be written, or what the store knows of
// what was.
func (t *tallies) giveBack(taken []shared, known map[string]int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range taken {
		e := t.byNet[s.network]
		if e == nil {
			continue // blocked or forgotten meanwhile
		}
		y, _ := e.Value.(*offender)
		if known == nil {
			y.pending += s.count
			y.known = max(0, y.known-s.count)
		} else {
			y.known = known[s.text]
		}
	}
}

// bucket is the length of the steps in which the window slides.
func (r BlockRule) bucket() time.Duration { return max(r.Window/buckets, time.Second) }

// since is the moment after which the buckets that count begin.
func (r BlockRule) since(now time.Time) time.Time { return now.Add(-r.Window - r.bucket()) }

// createViolations makes the table of counts. The row without a network is
// there to be locked.
func createViolations(ctx context.Context, db sqldb.DB) error {
	return sqldb.Migrate(ctx, db, "throttle", []sqldb.Step{{ID: "1 violations", Go: func(ctx context.Context, tx sqldb.Tx) error {
		d := tx.Dialect()
		_, err := tx.Exec(ctx, fmt.Sprintf(`create table gateway_violation
			(network %s not null, bucket %s not null, count %s not null, primary key (network, bucket))`,
			d.ColumnType(sqldb.Text), d.ColumnType(sqldb.Timestamp), d.ColumnType(sqldb.Int4)))
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `create index gateway_violation_bucket on gateway_violation (bucket)`); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `insert into gateway_violation (network, bucket, count) values ('', $1, 0)`, time.Unix(0, 0).UTC())
		return err
	}}})
}

// lockViolations makes the writes of all nodes follow one another: they are
// few and short, and neither deadlock nor block an address twice that way.
func lockViolations(ctx context.Context, tx sqldb.Tx) error {
	return tx.Query(ctx, `select 1 from gateway_violation where network = ''`+tx.Dialect().ForUpdate(), nil,
		func(sqldb.Row) error { return nil })
}

// share writes the violations of this node, and blocks those who have enough.
// What could not be written is written with the next.
func (b *Blocks) share(ctx context.Context) error {
	rule := b.rule()
	if rule.Violations <= 0 {
		return nil
	}
	b.sharing.Lock()
	defer b.sharing.Unlock()
	taken := b.tallies.take(rule)
	if len(taken) == 0 {
		return nil
	}
	b.swept.Store(false)
	var known map[string]int
	var blocked []Block
	err := b.db.Write(ctx, func(tx sqldb.Tx) (err error) {
		now := b.clock.Now()
		known, blocked = make(map[string]int, len(taken)), nil
		if err := lockViolations(ctx, tx); err != nil {
			return err
		}
		for some := range slices.Chunk(taken, chunk) {
			if err := writeViolations(ctx, tx, rule, some, now, known); err != nil {
				return err
			}
		}
		for _, s := range taken {
			if known[s.text] < rule.Violations {
				continue
			}
			if blocked, err = b.block(ctx, tx, rule, s, known[s.text], now, blocked); err != nil {
				return err
			}
		}
		if len(blocked) == 0 {
			return nil
		}
		return tx.Signal(ctx, BlocksChannel)
	})
	if err != nil {
		b.tallies.giveBack(taken, nil)
		return fault.Wrap(err, "write violations")
	}
	b.tallies.giveBack(taken, known)
	defer b.ahead.clear() // who came meanwhile is due again
	if len(blocked) == 0 {
		return nil
	}
	for _, one := range blocked {
		b.log.WarnContext(ctx, "address blocked", "address", NetworkText(one.Network), "until", one.Until)
	}
	return b.load(ctx)
}

// writeViolations adds to the counts of some addresses and reads their sums.
func writeViolations(ctx context.Context, tx sqldb.Tx, rule BlockRule, some []shared, now time.Time, known map[string]int) error {
	rows := make([]string, len(some))
	names := make([]string, len(some))
	args := make([]any, 0, 1+2*len(some))
	args = append(args, now.Truncate(rule.bucket()))
	for i, s := range some {
		names[i] = s.text
		args = append(args, s.text, s.count)
		rows[i] = fmt.Sprintf("($%d, $1, $%d)", len(args)-1, len(args))
	}
	_, err := tx.Exec(ctx, `insert into gateway_violation (network, bucket, count) values `+strings.Join(rows, ", ")+
		` on conflict (network, bucket) do update set count = gateway_violation.count + excluded.count`, args...)
	if err != nil {
		return err
	}
	return tx.Query(ctx, `select network, sum(count) from gateway_violation where `+tx.Dialect().In("network", "$1", false)+
		` and bucket > $2 group by network`, []any{names, rule.since(now)},
		func(r sqldb.Row) error { known[r.Text(0)] = int(r.Int(1)); return nil })
}

// block blocks an address, unless it is blocked already, and begins its count
// anew.
func (b *Blocks) block(ctx context.Context, tx sqldb.Tx, rule BlockRule, s shared, count int, now time.Time, blocked []Block) ([]Block, error) {
	now = now.UTC().Truncate(time.Second)
	until := now.Add(rule.Duration)
	reason := fmt.Sprintf("%d refused requests (401, 429) within %d minutes", count, int(rule.Window/time.Minute))
	already, err := ActiveBlock(ctx, tx, s.text, now)
	if err == nil && already == 0 {
		err = tx.Query(ctx, `insert into gateway_block (address, reason, violations, blocked_at, until, "by", active)
			values ($1, $2, $3, $4, $5, $6, true) returning id`,
			[]any{s.text, reason, count, now, until, Automatic}, func(r sqldb.Row) error {
				blocked = append(blocked, Block{ID: r.Int(0), Network: s.network, Until: until})
				return nil
			})
	}
	if err != nil {
		return nil, err
	}
	if err := ForgetViolations(ctx, tx, s.text); err != nil || already != 0 {
		return blocked, err
	}
	one := audit.Entry{
		Model: "gateway.block", ID: blocked[len(blocked)-1].ID, Name: s.text, Action: "create",
		After: map[string]any{"address": s.text, "reason": reason, "until": until.Format(time.DateTime)},
	}
	return blocked, audit.Write(ctx, tx, audit.Origin{Via: audit.System}, now, one)
}
