package gateway_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
)

const apikeys = "res.users.apikeys"

// person makes an internal user, or one of the named group, who calls.
func personWith(t *testing.T, eng *record.Engine, login, group string) *backend.Caller {
	t.Helper()
	c := &backend.Caller{}
	err := eng.Sudo(context.Background(), func(e *record.Env) error {
		users, err := e.Create("res.users", record.Values{"login": login, "name": login, "group_ids": []int64{e.Ref(group).ID()}})
		if err == nil {
			c.UserID = users[0].ID()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestOwnUserKeys: everybody makes, sees and deletes his own keys, and
// administrators those of all.
func TestOwnUserKeys(t *testing.T) {
	onBoth(t, func(t *testing.T, eng *record.Engine, admin *backend.Caller) {
		ctx := context.Background()
		joel, marc := personWith(t, eng, "joel", "base.group_user"), personWith(t, eng, "marc", "base.group_portal")
		public := personWith(t, eng, "anybody", "base.group_public")
		create := func(c *backend.Caller, values backend.Values) (*backend.Created, error) {
			return eng.Create(ctx, c, apikeys, []backend.Values{values})
		}
		ids := map[*backend.Caller]int64{}
		for _, c := range []*backend.Caller{joel, marc, admin} {
			made, err := create(c, backend.Values{"name": "script"})
			if err != nil || len(made.Once) != 1 || len(made.Once[0]["key"]) != 40 {
				t.Fatalf("%d: %+v %v", c.UserID, made, err)
			}
			ids[c] = made.IDs[0]
			page := &backend.Page{}
			if _, err := eng.Search(ctx, c, &backend.Query{Model: apikeys, Fields: []string{"user_id", "duration"}}, page); err != nil {
				t.Fatal(err)
			}
			if want := map[bool]int{true: 3, false: 1}[c == admin]; len(page.Rows) != want {
				t.Errorf("%d sees %d keys, want %d", c.UserID, len(page.Rows), want)
			}
		}
		_, err := create(joel, backend.Values{"name": "x", "user_id": admin.UserID})
		want(t, err, fault.Forbidden, "")
		_, err = create(joel, backend.Values{"name": "x", "user_id": marc.UserID})
		want(t, err, fault.Forbidden, "")
		_, err = create(public, backend.Values{"name": "x"})
		if f := fault.From(err); f.Kind != fault.Forbidden && f.Kind != fault.NotFound {
			t.Errorf("public: %v", err)
		}
		if err := eng.Unlink(ctx, joel, apikeys, []int64{ids[marc]}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("joel deletes marc's: %v", err)
		}
		if err := eng.Write(ctx, joel, apikeys, []int64{ids[joel]}, backend.Values{"name": "x"}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("joel writes: %v", err)
		}
		if err := eng.Unlink(ctx, marc, apikeys, []int64{ids[marc]}); err != nil {
			t.Error(err)
		}
		made, err := create(admin, backend.Values{"name": "for joel", "user_id": joel.UserID, "duration": "0"})
		if err != nil {
			t.Fatal(err)
		}
		if err := eng.Unlink(ctx, admin, apikeys, append(made.IDs, ids[joel])); err != nil {
			t.Error(err)
		}
	})
}

// TestUserKeySecrets: nobody reads, searches or chooses what is stored of a key.
func TestUserKeySecrets(t *testing.T) {
	onBoth(t, func(t *testing.T, eng *record.Engine, admin *backend.Caller) {
		ctx := context.Background()
		super := &backend.Caller{UserID: 1, Superuser: true, Admin: true}
		made, err := eng.Create(ctx, admin, apikeys, []backend.Values{{"name": "script", "duration": "0"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []*backend.Caller{admin, super} {
			for _, field := range []string{"key", "index"} {
				_, err := eng.Create(ctx, c, apikeys, []backend.Values{{"name": "x", "duration": "0", field: "0123abcd"}})
				want(t, err, fault.BadRequest, "")
			}
		}
		for _, field := range []string{"key", "index"} {
			page := &backend.Page{}
			_, err := eng.Search(ctx, admin, &backend.Query{Model: apikeys, Fields: []string{field}}, page)
			want(t, err, fault.BadRequest, "Unknown field")
			want(t, eng.Write(ctx, admin, apikeys, made.IDs, backend.Values{field: "0123abcd"}), fault.BadRequest, "")
		}
		for _, change := range []backend.Values{{"user_id": int64(1)}, {"scope": "rpc"}, {"duration": "1"}} {
			want(t, eng.Write(ctx, admin, apikeys, made.IDs, change), fault.BadRequest, "create a new one")
		}
		want(t, eng.Write(ctx, admin, apikeys, made.IDs, backend.Values{"expiration_date": "2020-01-01 00:00:00"}), fault.BadRequest, "in the past")
		if err := eng.Write(ctx, admin, apikeys, made.IDs, backend.Values{"name": "renamed", "expiration_date": nil}); err != nil {
			t.Error(err)
		}
		_, err = eng.Call(ctx, admin, apikeys, "copy", made.IDs, backend.Values{})
		if err == nil {
			t.Error("copied")
		}
		many := make([]backend.Values, 21)
		for i := range many {
			many[i] = backend.Values{"name": "x", "duration": "1"}
		}
		_, err = eng.Create(ctx, admin, apikeys, many)
		want(t, err, fault.BadRequest, "No more than 20")
		if made, err = eng.Create(ctx, admin, apikeys, many[:2]); err != nil || made.Once[0]["key"] == made.Once[1]["key"] {
			t.Errorf("%+v %v", made, err)
		}
	})
}

func TestUserKeyDurations(t *testing.T) {
	onBoth(t, func(t *testing.T, eng *record.Engine, admin *backend.Caller) {
		ctx := context.Background()
		joel, portal := personWith(t, eng, "joel", "base.group_user"), personWith(t, eng, "marc", "base.group_portal")
		// An administrator whose credential does not have all his powers.
		limited := &backend.Caller{UserID: admin.UserID}
		in := func(days int) string { return time.Now().UTC().AddDate(0, 0, days).Format(time.DateTime) }
		for _, test := range []struct {
			name   string
			c      *backend.Caller
			values backend.Values
			days   int // 0: persistent
			want   string
		}{
			{"nothing said", joel, backend.Values{}, 1, ""},
			{"a week", joel, backend.Values{"duration": "7"}, 7, ""},
			{"three months", joel, backend.Values{"duration": "90"}, 90, ""},
			{"six months", joel, backend.Values{"duration": "180"}, 0, "You cannot exceed 90 days"},
			{"a year by an administrator", admin, backend.Values{"duration": "365"}, 365, ""},
			{"persistent", joel, backend.Values{"duration": "0"}, 0, "must have an expiration date"},
			{"persistent by an administrator", admin, backend.Values{"duration": "0"}, 0, ""},
			{"persistent by half an administrator", limited, backend.Values{"duration": "0"}, 0, "must have an expiration date"},
			{"custom", joel, backend.Values{"duration": "-1", "expiration_date": in(10)}, 10, ""},
			{"date alone", joel, backend.Values{"expiration_date": in(20)}, 20, ""},
			{"too late a date", joel, backend.Values{"expiration_date": in(91)}, 0, "You cannot exceed 90 days"},
			{"far date by an administrator", admin, backend.Values{"expiration_date": in(4000)}, 4000, ""},
			{"past", joel, backend.Values{"expiration_date": in(-1)}, 0, "in the past"},
			{"past by an administrator", admin, backend.Values{"expiration_date": in(-1)}, 0, "in the past"},
			{"custom without", joel, backend.Values{"duration": "-1"}, 0, "Missing required field: expiration_date"},
			{"both", joel, backend.Values{"duration": "7", "expiration_date": in(7)}, 0, "not both"},
			{"unknown", joel, backend.Values{"duration": "8"}, 0, "duration"},
			{"portal, a day", portal, backend.Values{"duration": "1"}, 1, ""},
			{"portal, a week", portal, backend.Values{"duration": "7"}, 0, "You cannot exceed 1 days"},
			{"no name", joel, backend.Values{"name": " "}, 0, "Missing required field: name"},
			{"another scope", joel, backend.Values{"scope": "otherscope"}, 0, "rpc or empty"},
			{"rpc", joel, backend.Values{"scope": "rpc"}, 1, ""},
		} {
			values := backend.Values{"name": "script"}
			for name, v := range test.values {
				values[name] = v
			}
			made, err := eng.Create(ctx, test.c, apikeys, []backend.Values{values})
			if test.want != "" {
				if f := fault.From(err); err == nil || f.Kind != fault.BadRequest || !strings.Contains(f.Message, test.want) {
					t.Errorf("%s: %v, want %q", test.name, err, test.want)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
				continue
			}
			page := &backend.Page{}
			query := &backend.Query{Model: apikeys, IDs: made.IDs, Fields: []string{"expiration_date"}}
			if _, err := eng.Search(ctx, admin, query, page); err != nil || len(page.Rows) != 1 {
				t.Fatalf("%s: %v", test.name, err)
			}
			v := page.Get(0, "expiration_date")
			if test.days == 0 {
				if v.Kind == backend.Datetime {
					t.Errorf("%s: expires %v", test.name, v.Time())
				}
				continue
			}
			if off := time.Until(v.Time()) - time.Duration(test.days)*24*time.Hour; off < -time.Minute || off > time.Minute {
				t.Errorf("%s: expires %v", test.name, v.Time())
			}
		}
		err := eng.Sudo(ctx, func(e *record.Env) error {
			return e.Write([]record.Rec{e.One("res.users", joel.UserID)}, record.Values{"active": false})
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = eng.Create(ctx, admin, apikeys, []backend.Values{{"name": "x", "user_id": joel.UserID, "duration": "1"}})
		want(t, err, fault.BadRequest, "archived")
	})
}
