package odoo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoo"
	"gatehouse/internal/odoorpc"
	"gatehouse/internal/schema"
)

// scripted is an Odoo of some version that answers what it is told to.
type scripted struct {
	major   int
	answers map[string]string // by model and method
	forUID  map[int64]map[string]string
	asked   []*odoorpc.Request
	mu      sync.Mutex
	before  func(name string) // a call is answered
	refuses func(uid int64, name string) error
}

func (s *scripted) set(name, answer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[name] = answer
}

// Call implements odoo.RPC.
func (s *scripted) Call(_ context.Context, a *odoorpc.Account, r *odoorpc.Request) (json.RawMessage, error) {
	name := r.Model + "." + r.Method
	s.mu.Lock()
	s.asked = append(s.asked, r)
	answer, ok := s.forUID[a.UID][name]
	if !ok {
		answer, ok = s.answers[name]
	}
	s.mu.Unlock()
	if s.before != nil {
		s.before(name)
	}
	if s.refuses != nil {
		if err := s.refuses(a.UID, name); err != nil {
			return nil, err
		}
	}
	if !ok {
		return nil, fault.New(fault.NotFound, "no "+name)
	}
	return json.RawMessage(answer), nil
}

// Version implements odoo.RPC.
func (s *scripted) Version(context.Context) (odoorpc.Version, error) {
	return odoorpc.Version{Major: s.major}, nil
}

// Ready implements odoo.RPC.
func (s *scripted) Ready(context.Context) error { return nil }

// byKey gives each gateway key a user of its own in the Odoo.
type byKey struct{ accounts }

// For implements odoo.Accounts.
func (*byKey) For(_ context.Context, c *backend.Caller) (*odoorpc.Account, error) {
	return &odoorpc.Account{UID: c.Account.ID}, nil
}

// Refused implements odoo.Accounts.
func (*byKey) Refused(*backend.Caller) {}

func by(key int64) *backend.Caller {
	return &backend.Caller{UserID: 2, Account: backend.Account{Kind: "api_key", ID: key}}
}

const orderFields = `{"id":{"type":"integer","store":true},"date_order":{"type":"datetime","store":true},"amount":{"type":"float","store":true}}`

// TestGroupsWithoutADate: read_group tells of records without a date with false
// for their range.
func TestGroupsWithoutADate(t *testing.T) {
	s := &scripted{major: 17, answers: map[string]string{
		"sale.order.check_access_rights": "true", "sale.order.fields_get": orderFields,
		"sale.order.read_group": `[
			{"__range":{"date_order:month":{"from":"2025-12-31 23:00:00","to":"2026-01-31 23:00:00"}},"date_order:month":"January 2026","__count":3},
			{"__range":{"date_order:month":false},"date_order:month":false,"__count":2}]`,
	}}
	b := odoo.New(odoo.Options{RPC: s, Accounts: &byKey{}})
	c := by(7)
	c.Context.TZ = "Europe/Paris"
	groups, err := b.Group(t.Context(), c, &backend.GroupQuery{Model: "sale.order", GroupBy: []string{"date_order:month"}, Aggregates: []string{"__count"}})
	if err != nil || len(groups.Rows) != 2 || groups.Rows[0].Keys[0].From.UTC().String() != "2025-12-31 23:00:00 +0000 UTC" ||
		groups.Rows[1].Keys[0].Kind != backend.Null || groups.Rows[1].Values[0].Int != 2 {
		t.Errorf("%v, %s", err, groupText(groups, err))
	}
}

// TestOrderOfGroups: the name of a figure may begin with that of another one.
func TestOrderOfGroups(t *testing.T) {
	s := &scripted{major: 17, answers: map[string]string{
		"sale.order.check_access_rights": "true", "sale.order.fields_get": orderFields, "sale.order.read_group": `[]`,
	}}
	b := odoo.New(odoo.Options{RPC: s, Accounts: &byKey{}})
	_, err := b.Group(t.Context(), by(7), &backend.GroupQuery{
		Model: "sale.order", GroupBy: []string{"id"}, Aggregates: []string{"amount:count", "amount:count_distinct"},
		Order: "amount:count_distinct desc, amount:count, id",
	})
	if got, want := s.asked[len(s.asked)-1].Kwargs["orderby"], "amount_count_distinct_figure desc,amount_count_figure, id"; err != nil || got != want {
		t.Errorf("%v, %v; want %v", err, got, want)
	}
}

// TestFieldsOfOlderVersions: the path of a related field is a list there, and a
// selection may be of numbers.
func TestFieldsOfOlderVersions(t *testing.T) {
	for _, related := range []string{`["partner_id","name"]`, `"partner_id.name"`} {
		s := &scripted{major: 14, answers: map[string]string{
			"res.users.check_access_rights": "true", "res.partner.check_access_rights": "true",
			"res.users.fields_get": `{"id":{"type":"integer","store":true},"partner_id":{"type":"many2one","relation":"res.partner","required":true,"store":true},
				"name":{"type":"char","store":false,"related":` + related + `},"priority":{"type":"selection","selection":[[0,"Low"],[1,"High"]]}}`,
			"res.partner.fields_get": `{"id":{"type":"integer","store":true},"name":{"type":"char","store":true,"related":false}}`,
		}}
		m, err := odoo.New(odoo.Options{RPC: s, Accounts: &byKey{}}).Model(t.Context(), by(7), "res.users")
		if err != nil {
			t.Fatal(err)
		}
		if !m.Field("name").Inherited {
			t.Errorf("%s: not inherited", related)
		}
		if got := fmt.Sprint(m.Field("priority").Options); got != "[{0 Low} {1 High}]" {
			t.Errorf("a selection of numbers: %s", got)
		}
	}
}

// TestKeysOfOneUser: two keys of one user here call as two of the Odoo's, and
// neither sees what only the other may.
func TestKeysOfOneUser(t *testing.T) {
	s := &scripted{
		major:   17,
		answers: map[string]string{"sale.order.check_access_rights": "false", "sale.order.fields_get": orderFields},
		forUID: map[int64]map[string]string{7: {
			"sale.order.check_access_rights": "true", "sale.order.fields_get": strings.Replace(orderFields, "amount", "margin", 1),
		}},
	}
	b := odoo.New(odoo.Options{RPC: s, Accounts: &byKey{}})
	m, err := b.Model(t.Context(), by(7), "sale.order")
	if err != nil || !slices.ContainsFunc(m.Fields, func(f *schema.Field) bool { return f.Name == "margin" }) {
		t.Fatal(err)
	}
	if _, err := b.Model(t.Context(), by(8), "sale.order"); !fault.Is(err, fault.NotFound) {
		t.Errorf("the other key's model: %v", err)
	}
	if may, err := b.May(t.Context(), by(8), "sale.order", schema.Read, nil); may || err != nil {
		t.Errorf("the other key's right: %v, %v", may, err)
	}
	key7, err7 := b.CatalogueKey(t.Context(), by(7))
	if key8, err8 := b.CatalogueKey(t.Context(), by(8)); key7 == key8 || err7 != nil || err8 != nil {
		t.Errorf("one catalogue for both: %q, %v, %v", key7, err7, err8)
	}
}

// TestDefaults: the argument is called fields since Odoo 19; before, it goes by position.
func TestDefaults(t *testing.T) {
	s := &scripted{major: 19, answers: map[string]string{"sale.order.default_get": `{"amount":1}`}}
	b := odoo.New(odoo.Options{RPC: s, Accounts: &byKey{}})
	values, err := b.Defaults(t.Context(), by(7), "sale.order", []string{"amount"})
	if err != nil || values["amount"] != 1.0 || fmt.Sprint(s.asked[0].Kwargs["fields"]) != "[amount]" {
		t.Errorf("%v, %v, %v", values, err, s.asked[0].Kwargs)
	}
}

// TestRightsOnRecords: before Odoo 18 a method answers that has nothing to say,
// and nothing is what XML-RPC cannot carry where an answer is of interest.
func TestRightsOnRecords(t *testing.T) {
	for major, method := range map[int]string{17: "check_access_rule", 18: "has_access"} {
		s := &scripted{major: major, answers: map[string]string{
			"sale.order.check_access_rights": "true", "sale.order.check_access_rule": "null", "sale.order.has_access": "true",
		}}
		b := odoo.New(odoo.Options{RPC: s, Accounts: &byKey{}})
		if may, err := b.May(t.Context(), by(7), "sale.order", schema.Write, []int64{5}); !may || err != nil {
			t.Errorf("%d: %v, %v", major, may, err)
		}
		if last := s.asked[len(s.asked)-1]; last.Method != method || last.Reads == (major < 18) {
			t.Errorf("%d: %+v", major, last)
		}
	}
}

// withRights is one whose models and rights a technical user can read.
func withRights() *scripted {
	const rows = `[{"id":1,"model":"sale.order","name":"Order","model_id":[1,"x"],"group_id":false,"perm_read":true,"write_date":"2026-01-01 00:00:00"}]`
	return &scripted{major: 17, answers: map[string]string{
		"ir.model.fields_get": "{}", "ir.model.search_read": rows, "ir.model.access.search_read": rows, "ir.model.access.search_count": "1",
		"ir.model.fields.search_read": rows, "ir.model.fields.search_count": "1", "res.groups.search_read": rows, "res.groups.search_count": "1",
		"res.users.fields_get": "{}", "res.users.read": `[{"id":7,"groups_id":[1]}]`, "sale.order.fields_get": orderFields,
	}}
}

// passing is a clock that a test moves on.
type passing struct {
	began  time.Time
	passed *atomic.Int64
}

func (p *passing) Now() time.Time { return p.began.Add(time.Duration(p.passed.Load())) }

// TestChangedMeanwhile: what was read before a change of the Odoo's models was
// seen is not kept beyond it.
func TestChangedMeanwhile(t *testing.T) {
	s := withRights()
	var passed atomic.Int64
	began := time.Now()
	b := odoo.New(odoo.Options{
		RPC: s, Accounts: &byKey{accounts{technical: &odoorpc.Account{UID: 2}}},
		Clock: &passing{began, &passed},
	})
	until := func(what string, done func() bool) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal(what)
			}
		}
	}
	generation := func() string {
		key, err := b.CatalogueKey(t.Context(), by(7))
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(key, " ")
		return first
	}
	generation() // which looks for the first time
	until("no first look", func() bool {
		passed.Add(int64(time.Minute))
		generation()
		s.mu.Lock()
		defer s.mu.Unlock()
		n := 0
		for _, r := range s.asked {
			if r.Model == "res.groups" && r.Method == "search_read" {
				n++
			}
		}
		return n > 1
	})
	var once sync.Once
	s.before = func(name string) {
		if name == "sale.order.fields_get" {
			once.Do(func() {
				s.set("sale.order.fields_get", strings.Replace(orderFields, "amount", "margin", 1))
				s.set("ir.model.fields.search_count", "2")
				until("no change seen", func() bool {
					passed.Add(int64(time.Minute))
					return generation() == "1"
				})
			})
		}
	}
	for i, field := range []string{"amount", "margin"} {
		m, err := b.Model(t.Context(), by(7), "sale.order")
		if err != nil || m.Field(field) == nil {
			t.Errorf("call %d: %v, %v", i, m, err)
		}
	}
}

// TestRefusedTechnicalUser: that the technical user is refused is nothing that a
// caller could change by another credential.
func TestRefusedTechnicalUser(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Unauthenticated, fault.Forbidden} {
		s := withRights()
		s.refuses = func(uid int64, _ string) error {
			if uid == 2 {
				return fault.New(kind, "no")
			}
			return nil
		}
		b := odoo.New(odoo.Options{RPC: s, Accounts: &byKey{accounts{technical: &odoorpc.Account{UID: 2}}}})
		if _, err := b.Model(t.Context(), by(7), "sale.order"); !fault.Is(err, fault.BadGateway) {
			t.Errorf("a model: %v", err)
		}
		if _, err := b.Models(t.Context(), by(7)); !fault.Is(err, fault.BadGateway) {
			t.Errorf("all models: %v", err)
		}
	}
}

// TestEndedSessionOfAnother: who waits for what another caller's session reads
// is not refused with it.
func TestEndedSessionOfAnother(t *testing.T) {
	s := withRights()
	waiting := make(chan struct{})
	s.before = func(name string) {
		if name == "sale.order.fields_get" {
			select {
			case <-waiting:
			default:
				close(waiting)
				time.Sleep(100 * time.Millisecond) // until the other one waits, too
			}
		}
	}
	s.refuses = func(uid int64, name string) error {
		if uid == 8 && name == "sale.order.fields_get" {
			return fault.New(fault.Unauthenticated, "ended")
		}
		return nil
	}
	b := odoo.New(odoo.Options{RPC: s, Accounts: &byKey{accounts{technical: &odoorpc.Account{UID: 2}}}})
	ended := make(chan error)
	go func() { _, err := b.Model(t.Context(), by(8), "sale.order"); ended <- err }()
	<-waiting
	if _, err := b.Model(t.Context(), by(7), "sale.order"); err != nil {
		t.Errorf("who waited: %v", err)
	}
	if err := <-ended; !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("whose session had ended: %v", err)
	}
}
