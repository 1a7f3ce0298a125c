package gateway_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/record"
	"gatehouse/internal/throttle"
)

// TestActiveThrottles: an administrator sees by name whose windows are being
// counted, how much is left of them and when they end.
func TestActiveThrottles(t *testing.T) {
	onBoth(t, func(t *testing.T, eng *record.Engine, admin *backend.Caller) {
		ctx := context.Background()
		created, err := eng.Create(ctx, admin, "gateway.key", []backend.Values{{"name": "ci", "user_id": int64(2), "scopes": "read"}})
		if err != nil {
			t.Fatal(err)
		}
		l := throttle.New(eng.DB(), throttle.Options{})
		defer l.Close()
		key := fmt.Sprint("key:", created.IDs[0])
		day := []throttle.Window{{Name: "decade", Seconds: 3650 * 86400, Limit: 3}}
		for _, subject := range []string{key, key, "user:2", "session:2", "ip:192.0.2.7", "ip:2001:db8::/64", "key:999", "other:x"} {
			if _, err := l.Take(ctx, subject, day); err != nil {
				t.Fatal(err)
			}
		}
		page := &backend.Page{}
		_, err = eng.Search(ctx, admin, &backend.Query{
			Model: "gateway.throttle", Order: "id", Limit: 80,
			DomainText: fmt.Sprintf(`[("window_end", ">", "%s")]`, time.Now().UTC().Format(time.DateTime)),
			Fields:     []string{"caller", "remaining", "window_end"},
		}, page)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range page.Rows {
			cell := func(name string) backend.Value { return page.Get(i, name) }
			got = append(got, fmt.Sprintf("%s %d left", cell("caller").Text, cell("remaining").Int))
		}
		want := []string{"ci 1 left", "admin 2 left", "admin 2 left", "192.0.2.7 2 left", "2001:db8::/64 2 left", "key:999 2 left", "other:x 2 left"}
		if !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		ends := page.Get(0, "window_end").Time()
		if left := time.Until(ends); left <= 0 || left > 3650*24*time.Hour {
			t.Errorf("the window ends at %v", ends)
		}
	})
}
