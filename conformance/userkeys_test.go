package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// keyTables are as much of Odoo's tables as identities need.
func keyTables() []*schema.Model {
	return []*schema.Model{
		{Name: "res.partner", Fields: []*schema.Field{schema.NewChar("name", "Name")}},
		{Name: "res.groups", Fields: []*schema.Field{
			schema.NewMany2many("user_ids", "Users", "res.users", "res_groups_users_rel", "gid", "uid"),
			schema.NewMany2many("implied_ids", "Implied", "res.groups", "res_groups_implied_rel", "gid", "hid"),
		}},
		{Name: "res.users", Fields: []*schema.Field{
			schema.NewChar("login", "Login"), schema.NewChar("password", "Password"), schema.NewBoolean("active", "Active"),
			schema.NewMany2one("partner_id", "Partner", "res.partner"),
		}},
		{Name: "res.users.apikeys", NoLog: true, Fields: []*schema.Field{
			schema.NewChar("name", "Name"), schema.NewMany2one("user_id", "User", "res.users"),
			schema.NewChar("scope", "Scope"), schema.NewDatetime("expiration_date", "Expiration Date"),
			schema.NewChar("index", "Index"), schema.NewChar("key", "Key"),
		}},
		{Name: "ir.model.data", Fields: []*schema.Field{
			schema.NewChar("module", "Module"), schema.NewChar("name", "Name"),
			schema.NewChar("model", "Model"), schema.NewInteger("res_id", "Record"),
		}},
	}
}

// dumped takes columns of one table out of the recorded dump.
func dumped(t *testing.T, folder, table string, columns ...string) (rows []map[string]any) {
	t.Helper()
	file, err := os.Open(filepath.Join(folder, "database.sql.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(plain)
	lines.Buffer(nil, 16<<20)
	var heads []string
	for lines.Scan() {
		line := lines.Text()
		switch list, begins := strings.CutPrefix(line, "COPY public."+table+" ("); {
		case begins:
			heads = strings.Split(strings.TrimSuffix(list, ") FROM stdin;"), ", ")
		case heads == nil:
		case line == `\.`:
			return rows
		default:
			all, row := map[string]any{}, map[string]any{}
			for i, cell := range strings.Split(line, "\t") {
				if all[heads[i]] = cell; cell == `\N` {
					all[heads[i]] = nil
				}
			}
			for _, column := range columns {
				value, ok := all[column]
				if !ok {
					t.Fatalf("%s has no column %s", table, column)
				}
				row[column] = value
			}
			rows = append(rows, row)
		}
	}
	t.Fatalf("no table %s in the dump (%v)", table, lines.Err())
	return nil
}

// TestRecordedUserKeys: all keys that a real Odoo made are good here, and those
// that it refuses are not.
func TestRecordedUserKeys(t *testing.T) {
	folder := corpusFolder(t)
	text, err := os.ReadFile(filepath.Join(folder, "users.json"))
	if err != nil {
		t.Fatal(err)
	}
	var users []struct {
		Login  string `json:"login"`
		UID    int64  `json:"uid"`
		Key    string `json:"api_key"`
		Active *bool  `json:"active"`
		Note   string `json:"note"`
	}
	if err := json.Unmarshal(text, &users); err != nil {
		t.Fatal(err)
	}
	people := dumped(t, folder, "res_users", "id", "login", "active")
	keys := dumped(t, folder, "res_users_apikeys", "id", "name", "user_id", "scope", "expiration_date", "index", "key")
	if len(keys) != len(users) {
		t.Fatalf("%d keys in the dump, %d in users.json", len(keys), len(users))
	}
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		ctx := context.Background()
		if err := schema.Sync(ctx, db, append(identity.Models(), keyTables()...)); err != nil {
			t.Fatal(err)
		}
		err := db.Write(ctx, func(tx sqldb.Tx) error {
			for _, p := range people {
				_, err := tx.Exec(ctx, `insert into res_users (id, login, active) values ($1, $2, $3)`, number(t, p["id"]), p["login"], p["active"] == "t")
				if err != nil {
					return err
				}
			}
			for _, k := range keys {
				_, err := tx.Exec(ctx, `insert into res_users_apikeys (id, name, user_id, scope, expiration_date, "index", "key")
					values ($1, $2, $3, $4, cast($5 as `+tx.Dialect().ColumnType(sqldb.Timestamp)+`), $6, $7)`,
					number(t, k["id"]), k["name"], number(t, k["user_id"]), k["scope"], k["expiration_date"], k["index"], k["key"])
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		s, err := identity.New(ctx, db, identity.NewUsers(db), identity.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close(ctx) }()
		good, refused := 0, 0
		for _, u := range users {
			for _, token := range []string{u.Key, fmt.Sprintf("%d$%s", u.UID, u.Key)} {
				p, err := s.Identify(ctx, http.Header{"Authorization": {"Bearer " + token}}, netip.Addr{})
				switch bad := u.Note != "" || (u.Active != nil && !*u.Active); {
				case bad && !fault.Is(err, fault.Unauthenticated):
					t.Errorf("%s (%s): %+v %v, want it refused", u.Login, u.Note, p, err)
				case bad && fault.From(err).Message == "Invalid API key":
					t.Errorf("%s (%s): the key itself does not verify", u.Login, u.Note)
				case bad:
					refused++
				case err != nil || p.UserID != u.UID || p.Login != u.Login:
					t.Errorf("%s: %+v %v", u.Login, p, err)
				default:
					good++
				}
			}
			wrong := fmt.Sprintf("%d$%s", u.UID+1, u.Key)
			if _, err := s.Identify(ctx, http.Header{"Authorization": {"Bearer " + wrong}}, netip.Addr{}); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("%s under another id: %v", u.Login, err)
			}
		}
		if good != 32 || refused != 6 {
			t.Errorf("%d accepted and %d refused", good, refused)
		}
	})
}

func number(t *testing.T, text any) int64 {
	t.Helper()
	word, _ := text.(string)
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
