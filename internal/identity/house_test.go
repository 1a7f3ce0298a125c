package identity

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// house is a database with users, and a Service on it whose clock the test moves.
type house struct {
	*Service
	t     *testing.T
	db    sqldb.DB
	clock *clock.Moving

	second sqldb.DB // where further nodes work
}

// The users of every house. The password of each is his login.
const (
	mitchell = 2 // administrator through two groups
	marc     = 3
	olga     = 4 // archived
	nobody   = 5 // has no password
	odette   = 6 // has a hash of Odoo's
)

func build(t *testing.T, db sqldb.DB) *house {
	t.Helper()
	return buildPair(t, db, db)
}

// buildPair is build where node works on another handle of the same database.
func buildPair(t *testing.T, db, second sqldb.DB) *house {
	t.Helper()
	if err := schema.Sync(t.Context(), db, append(Models(), odooModels()...)); err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, db: db, second: second, clock: clock.NewMoving(time.Now().UTC().Truncate(time.Second))}
	h.fill()
	h.Service = h.serve(db)
	return h
}

// node starts another Service on the same database.
func (h *house) node() *Service {
	h.t.Helper()
	return h.serve(h.second)
}

func (h *house) serve(db sqldb.DB) *Service {
	h.t.Helper()
	s, err := New(h.t.Context(), db, NewUsers(db), Options{Clock: h.clock, Resources: []string{"orders", "products"}})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			h.t.Error(err)
		}
	})
	return s
}

// odooModels are as much of Odoo's own tables as users need.
func odooModels() []*schema.Model {
	return []*schema.Model{
		{Name: "res.partner", Fields: []*schema.Field{schema.NewChar("name", "Name")}},
		{Name: "res.groups", Fields: []*schema.Field{
			schema.NewChar("name", "Name"),
			schema.NewMany2many("user_ids", "Users", "res.users", "res_groups_users_rel", "gid", "uid"),
			schema.NewMany2many("implied_ids", "Implied", "res.groups", "res_groups_implied_rel", "gid", "hid"),
		}},
		{Name: "res.users", Fields: []*schema.Field{
			schema.NewChar("login", "Login").Req(),
			schema.NewChar("password", "Password").Hidden(),
			schema.NewBoolean("active", "Active"),
			schema.NewMany2one("partner_id", "Partner", "res.partner"),
		}},
		{Name: "res.users.apikeys", NoLog: true, Fields: []*schema.Field{
			schema.NewChar("name", "Name").Req(),
			schema.NewMany2one("user_id", "User", "res.users").Req().OnDeleteDo(schema.Cascade),
			schema.NewChar("scope", "Scope"), schema.NewDatetime("expiration_date", "Expiration Date"),
			schema.NewChar("index", "Index").Hidden(), schema.NewChar("key", "Key").Hidden(),
		}},
		{Name: "ir.model.data", Fields: []*schema.Field{
			schema.NewChar("module", "Module"), schema.NewChar("name", "Name"),
			schema.NewChar("model", "Model"), schema.NewInteger("res_id", "Record"),
		}},
	}
}

// sampleHashes are made once, because each costs 20 ms.
var sampleHashes = sync.OnceValue(func() map[string]string {
	hashes := map[string]string{}
	for _, password := range []string{"mitchell", "marc", "olga"} {
		hash, err := NewPasswords(0).Hash(context.Background(), password)
		if err != nil {
			panic(err)
		}
		hashes[password] = hash
	}
	return hashes
})

func (h *house) fill() {
	hashes := sampleHashes()
	h.exec(`insert into res_partner (id, name) values (12, 'Mitchell Admin'), (13, 'Marc Demo'), (14, 'Olga Old')`)
	h.exec(`insert into res_users (id, login, password, active, partner_id) values
		(2, 'mitchell', $1, true, 12), (3, 'marc', $2, true, 13), (4, 'olga', $3, false, 14),
		(5, 'nobody', null, true, null), (6, 'odette', $4, true, null)`,
		hashes["mitchell"], hashes["marc"], hashes["olga"], odooHash)
	h.exec(`insert into res_groups (id, name) values (1, 'User'), (2, 'Settings'), (3, 'Everything'), (4, 'More')`)
	h.exec(`insert into res_groups_implied_rel (gid, hid) values (4, 3), (3, 2), (2, 1), (1, 1)`)
	h.exec(`insert into res_groups_users_rel (gid, uid) values (4, 2), (1, 3)`)
	h.exec(`insert into ir_model_data (module, name, model, res_id) values
		('base', 'group_system', 'res.groups', 2), ('base', 'group_user', 'res.groups', 1), ('base', 'group_system', 'res.users', 1)`)
}

// exec runs a statement, and announces the channels with it.
func (h *house) exec(sql string, args ...any) { h.change(nil, sql, args...) }

func (h *house) change(channels []string, sql string, args ...any) {
	h.t.Helper()
	err := h.db.Write(context.Background(), func(tx sqldb.Tx) error {
		if _, err := tx.Exec(context.Background(), sql, args...); err != nil {
			return err
		}
		for _, channel := range channels {
			if err := tx.Signal(context.Background(), channel); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// number is the first column of the first row.
func (h *house) number(sql string, args ...any) (n int64) {
	h.t.Helper()
	err := h.db.Read(context.Background(), func(q sqldb.Querier) error {
		return q.Query(context.Background(), sql, args, func(r sqldb.Row) error { n = r.Int(0); return nil })
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

var here = Meta{IP: netip.MustParseAddr("192.0.2.7"), UserAgent: "curl/8"}

func (h *house) login(who string) *TokenPair {
	h.t.Helper()
	pair, _, err := h.Login(h.t.Context(), who, who, here)
	if err != nil {
		h.t.Fatal(err)
	}
	return pair
}

// key makes a key for Marc.
func (h *house) key(change func(*KeySpec)) (key string, id int64) {
	h.t.Helper()
	spec := KeySpec{UserID: marc, Name: "ci", Scopes: "read"}
	if change != nil {
		change(&spec)
	}
	key, id, err := h.CreateKey(h.t.Context(), spec)
	if err != nil {
		h.t.Fatal(err)
	}
	return key, id
}

// userKey makes an API key of a user, without scope and expiry.
func (h *house) userKey(user int64) (key string, id int64) {
	h.t.Helper()
	key, stored, err := NewUserKey()
	if err != nil {
		h.t.Fatal(err)
	}
	h.change([]string{KeysChanged}, `insert into res_users_apikeys (name, user_id, "index", "key") values ($1, $2, $3, $4)`,
		"script", user, stored.Index, stored.Hash)
	return key, h.number(`select max(id) from res_users_apikeys`)
}

// who identifies a caller.
func (h *house) who(header, value string) (*Principal, error) {
	return h.Identify(h.t.Context(), http.Header{header: {value}}, here.IP)
}

func (h *house) bearer(token string) (*Principal, error) {
	return h.who("Authorization", "Bearer "+token)
}

// accepts fails the test unless the credential is good.
func (h *house) accepts(p *Principal, err error) *Principal {
	h.t.Helper()
	if err != nil {
		h.t.Fatalf("refused: %v", err)
	}
	return p
}

// refuses fails the test unless err is Unauthenticated with that message.
func (h *house) refuses(message string, err error) {
	h.t.Helper()
	if !fault.Is(err, fault.Unauthenticated) || fault.From(err).Message != message {
		h.t.Errorf("got %v, want %q", err, message)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Errorf("%s: not within two seconds", what)
}
