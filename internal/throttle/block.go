package throttle

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/iprange"
	"gatehouse/internal/sqldb"
)

// BlocksChannel is the signal that gateway_block changed. Whoever changes its
// rows in a transaction sends it.
const BlocksChannel = "blocks"

const (
	shareEvery = time.Second            // how often violations are written
	shareBreak = 100 * time.Millisecond // the least time between two writes
	sweepEvery = time.Minute            // how often ended blocks are marked so
	retryBreak = 500 * time.Millisecond // while the store is away
	maxBlocks  = 100_000                // blocks that are held in memory
)

// BlockRule says when an address is blocked without anybody's doing.
type BlockRule struct {
	Violations int           // that block an address; 0: none do
	Window     time.Duration // within which they are counted
	Duration   time.Duration // of the block
}

// BlockOptions tune Blocks.
type BlockOptions struct {
	// Rule is asked at every violation; nil never blocks.
	Rule func() BlockRule
	// Never are addresses that are not blocked, whatever the store says: the
	// trusted proxies, for one, through which everybody else comes.
	Never []netip.Prefix
	// Clock is the system's unless a test brings its own.
	Clock clock.Clock
	// Log hears of new blocks and of a store that cannot be written.
	Log *slog.Logger
}

// Blocks knows which addresses are blocked, and blocks those that collect
// violations. What is blocked is looked up in memory; violations are counted
// there too and written in batches, so that those on several nodes come
// together. Safe for concurrent use.
type Blocks struct {
	db    sqldb.DB
	rule  func() BlockRule
	never []netip.Prefix
	clock clock.Clock
	log   *slog.Logger

	set     atomic.Pointer[blockSet]
	ahead   ahead // blocks that are not written yet
	tallies tallies
	swept   atomic.Bool // no violation was written since

	changed, due chan struct{} // capacity 1
	stop         func()
	done         chan struct{}
	loading      sync.Mutex // one load at a time, so that an older one never wins
	sharing      sync.Mutex // one write at a time, so that whoever waits knows its outcome
}

// OpenBlocks begins on a database that has the tables of Models. Close it.
func OpenBlocks(ctx context.Context, db sqldb.DB, o BlockOptions) (*Blocks, error) {
	if err := createViolations(ctx, db); err != nil {
		return nil, fault.Wrap(err, "make the table of violations")
	}
	b := &Blocks{
		db: db, rule: o.Rule, never: slices.Clone(o.Never), clock: o.Clock, log: o.Log,
		changed: make(chan struct{}, 1), due: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if b.rule == nil {
		b.rule = func() BlockRule { return BlockRule{} }
	}
	if b.clock == nil {
		b.clock = clock.System
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	stopWatch := db.Watch(func(channel string) { // before the first load, so that no change falls between
		if channel == BlocksChannel || channel == "" {
			poke(b.changed)
		}
	})
	if err := b.sweep(ctx); err != nil {
		stopWatch()
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	b.stop = func() { stopWatch(); cancel() }
	go b.work(ctx)
	return b, nil
}

// Close stops the work in the background and writes the violations that are
// not written yet.
func (b *Blocks) Close(ctx context.Context) error {
	b.stop()
	<-b.done
	return b.share(ctx)
}

// Blocked says whether an address is blocked, and by which block: of several
// the one that lasts longest. It costs no query and no allocation.
func (b *Blocks) Blocked(ip netip.Addr, now time.Time) (Block, bool) {
	set, ahead := b.set.Load(), b.ahead.load()
	if len(set.networks) == 0 && len(ahead) == 0 {
		return Block{}, false
	}
	ip = ip.Unmap().WithZone("")
	found, ok := set.find(ip, now)
	if !ok && len(ahead) > 0 {
		found, ok = ahead[violator(ip)]
	}
	if !ok || iprange.Contains(b.never, ip) {
		return Block{}, false
	}
	return found, true
}

// Violation counts a refused request (401 or 429) of an address. It does not
// block and, but for the first of an address, does not allocate.
func (b *Blocks) Violation(ip netip.Addr, now time.Time) {
	rule := b.rule()
	if rule.Violations <= 0 || !ip.IsValid() || iprange.Contains(b.never, ip) {
		return
	}
	if _, blocked := b.Blocked(ip, now); blocked {
		return // one that was under way when the block came
	}
	if network := violator(ip); b.tallies.add(network, rule, now) {
		b.ahead.add(Block{Network: network, Until: now.Add(rule.Duration)})
		poke(b.due)
	}
}

// violator is what violations are counted for, and what is blocked: whoever
// has one IPv6 address has the 2^64 of its network.
func violator(ip netip.Addr) netip.Prefix {
	ip = ip.Unmap()
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	network, _ := ip.Prefix(bits) // it fits
	return network
}

// Fault is the error of a request from a blocked address.
func (b Block) Fault(ip netip.Addr, now time.Time) *fault.Error {
	f := fault.Newf(fault.Blocked, "The address %s is blocked", ip)
	if !b.Until.IsZero() {
		f.Message += " until " + b.Until.UTC().Format(time.RFC3339)
		f.RetryAfter = max(b.Until.Sub(now), time.Second)
	}
	return f
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // one is due already
	}
}

// work follows changes, writes violations and ends blocks, until ctx ends.
func (b *Blocks) work(ctx context.Context) {
	defer close(b.done)
	share, sweep := time.NewTicker(shareEvery), time.NewTicker(sweepEvery)
	defer share.Stop()
	defer sweep.Stop()
	wait := func(d time.Duration) {
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
	}
	for {
		var err error
		pause := shareBreak
		select {
		case <-ctx.Done():
			return
		case <-b.changed:
			if err = b.load(ctx); err != nil {
				poke(b.changed) // the last known ones hold until then
			}
		case <-b.due:
			err = b.share(ctx)
		case <-share.C:
			err, pause = b.share(ctx), 0
		case <-sweep.C:
			err, pause = b.sweepIfDue(ctx), 0
		}
		if err != nil && ctx.Err() == nil {
			b.log.WarnContext(ctx, "blocked addresses: the store cannot be asked", "error", err)
			pause = retryBreak
		}
		wait(pause)
	}
}

// load takes over the blocks of the store. Where there are more than fit, those
// that last longest go first.
func (b *Blocks) load(ctx context.Context) error {
	b.loading.Lock()
	defer b.loading.Unlock()
	var list []Block
	err := b.db.Read(ctx, func(q sqldb.Querier) error {
		list = list[:0]
		return q.Query(ctx, `select id, address, until from gateway_block
			where active and (until is null or until > $1)
			order by case when until is null then 0 else 1 end, until desc limit $2`,
			[]any{b.clock.Now(), maxBlocks}, func(r sqldb.Row) error {
				if network, err := ParseNetwork(r.Text(1)); err == nil { // else written by hand into the table; it blocks nobody
					list = append(list, Block{ID: r.Int(0), Network: network, Until: r.Time(2)})
				}
				return nil
			})
	})
	if err != nil {
		return fault.Wrap(err, "load blocked addresses")
	}
	b.set.Store(newBlockSet(list))
	b.tallies.forget(list)
	return nil
}

// sweepIfDue sweeps when this node has written violations or holds ended blocks.
func (b *Blocks) sweepIfDue(ctx context.Context) error {
	if b.swept.Load() && !b.set.Load().ended(b.clock.Now()) {
		return nil
	}
	return b.sweep(ctx)
}

// sweep marks blocks that have ended, deletes counts that count no more, and
// loads what is left.
func (b *Blocks) sweep(ctx context.Context) error {
	now, rule := b.clock.Now(), b.rule()
	var ended, old bool
	err := b.db.Read(ctx, func(q sqldb.Querier) error { // an idle node writes nothing
		err := q.Query(ctx, `select 1 from gateway_block where active and until <= $1 limit 1`, []any{now},
			func(sqldb.Row) error { ended = true; return nil })
		if err != nil {
			return err
		}
		return q.Query(ctx, `select 1 from gateway_violation where bucket <= $1 and network <> '' limit 1`,
			[]any{rule.since(now)}, func(sqldb.Row) error { old = true; return nil })
	})
	if err == nil && (ended || old) {
		err = b.db.Write(ctx, func(tx sqldb.Tx) error {
			if err := lockViolations(ctx, tx); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `update gateway_block set active = false where active and until <= $1`, now); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `delete from gateway_violation where bucket <= $1 and network <> ''`, rule.since(now))
			return err
		})
	}
	if err != nil {
		return fault.Wrap(err, "end blocks")
	}
	b.swept.Store(true)
	return b.load(ctx)
}

// keepBlocks is how long blocks that have ended stay listed.
const keepBlocks = 90 * 24 * time.Hour

// Vacuum deletes, in batches, blocks that ended more than 90 days ago, and
// gives their number.
func (b *Blocks) Vacuum(ctx context.Context) (int64, error) {
	const batch = 1000
	before := b.clock.Now().Add(-keepBlocks)
	var total int64
	for {
		var n int64
		err := b.db.Write(ctx, func(tx sqldb.Tx) (err error) {
			n, err = tx.Exec(ctx, `delete from gateway_block where id in (select id from gateway_block
				where coalesce(unblocked_at, until) < $1 limit $2)`, before, batch)
			return err
		})
		total += n
		if err != nil || n < batch {
			return total, fault.Wrap(err, "delete old blocks")
		}
	}
}

// ParseNetwork reads the address or the network of a block. The error is a
// BadRequest that says what is wrong.
func ParseNetwork(text string) (netip.Prefix, error) {
	list, err := iprange.ParseAllowList(text)
	switch {
	case err != nil || len(list) != 1:
		return netip.Prefix{}, fault.Newf(fault.BadRequest,
			"%.64q is not one IP address or CIDR range, like 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32", text)
	case list[0].Bits() == 0:
		return netip.Prefix{}, fault.Newf(fault.BadRequest, "%s is everybody", list[0])
	}
	return list[0], nil
}

// NetworkText is a network as ParseNetwork reads it and as it is stored: a lone
// address without its length.
func NetworkText(network netip.Prefix) string {
	if network.IsSingleIP() {
		return network.Addr().String()
	}
	return network.String()
}

// ForgetViolations lets an address begin anew, inside a transaction that
// unblocks it.
func ForgetViolations(ctx context.Context, tx sqldb.Tx, address string) error {
	_, err := tx.Exec(ctx, `delete from gateway_violation where network = $1`, address)
	if err != nil {
		return fmt.Errorf("forget violations: %w", err)
	}
	return nil
}

// ActiveBlock is the id of the block in effect of just that address or network,
// as NetworkText writes it; 0 when there is none.
func ActiveBlock(ctx context.Context, q sqldb.Querier, address string, now time.Time) (id int64, err error) {
	err = q.Query(ctx, `select id from gateway_block where address = $1 and active and (until is null or until > $2) limit 1`,
		[]any{address, now}, func(r sqldb.Row) error { id = r.Int(0); return nil })
	return id, err
}
