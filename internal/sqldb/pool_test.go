package sqldb

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// counted is a pool of numbers that counts what is open.
func counted(size int) (p *pool[int], opened, closed *int) {
	opened, closed = new(int), new(int)
	p = newPool(size, func(context.Context) (int, error) {
		*opened++
		return *opened, nil
	}, func(int) error {
		*closed++
		return nil
	})
	return p, opened, closed
}

func TestPoolLendsTheWarmestAndClosesTheColdest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		p, opened, closed := counted(3)
		first, _ := p.acquire(ctx)
		second, _ := p.acquire(ctx)
		p.release(first, true)
		p.release(second, true)
		for range 10 {
			time.Sleep(time.Minute)
			c, err := p.acquire(ctx)
			if c != second || err != nil {
				t.Fatal(c, err)
			}
			p.release(c, true)
		}
		if *opened != 2 || *closed != 1 {
			t.Error(*opened, *closed)
		}
		c, _ := p.acquire(ctx)
		p.release(c, false)
		if c, _ = p.acquire(ctx); c != 3 {
			t.Error("a broken connection came back")
		}
		p.release(c, true)
		p.usable = func(_ context.Context, c int, idle time.Duration) bool { return idle < time.Second }
		time.Sleep(2 * time.Second)
		if c, _ = p.acquire(ctx); c != 4 {
			t.Error("an unusable connection was lent")
		}
		p.release(c, true)
		if err := p.end(); err != nil || *opened != *closed {
			t.Error(err, *opened, *closed)
		}
		if _, err := p.acquire(ctx); !errors.Is(err, ErrUnavailable) {
			t.Error(err)
		}
	})
}

func TestPoolEndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, opened, closed := counted(2)
		c, _ := p.acquire(context.Background())
		time.AfterFunc(time.Second, func() { p.release(c, true) })
		start := time.Now()
		if err := p.end(); err != nil || time.Since(start) < time.Second || *opened != *closed {
			t.Error(err, time.Since(start))
		}
	})
}

func TestPoolSurvivesFailedOpen(t *testing.T) {
	stop := errors.New("stop")
	p := newPool(1, func(context.Context) (int, error) { return 0, stop }, func(int) error { return nil })
	for range 3 {
		if _, err := p.acquire(context.Background()); !errors.Is(err, stop) {
			t.Error(err)
		}
	}
}

func TestOrdersByCodePoint(t *testing.T) {
	for _, c := range []struct {
		collate, provider string
		want              bool
	}{
		{"C", "c", true},
		{"C.UTF-8", "c", true},
		{"C.utf8", "c", true},
		{"POSIX", "c", true},
		{"en_US.UTF-8", "c", false},
		{"C", "i", false}, // ICU decides, whatever datcollate says
		{"en_US.UTF-8", "b", true},
	} {
		if got := ordersByCodePoint(c.collate, c.provider); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
