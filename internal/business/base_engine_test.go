package business

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
)

// seeded is what most tests start from.
var seeded = &sqltest.Filled{Fill: func(ctx context.Context, db sqldb.DB, _ string) error {
	engine, err := record.Open(ctx, db, testOptions())
	if err != nil {
		return err
	}
	defer engine.Close()
	return engine.Sudo(ctx, Seed)
}}

func testOptions() record.Options {
	return record.Options{SanitizeHTML: HTMLSanitizer(), Models: Models(), Logics: Logics(Options{HashPassword: cheapHash})}
}

func TestMain(m *testing.M) { os.Exit(sqltest.With(m, seeded).Run()) }

// fixture is an engine on a database, and what the tests do with it.
type fixture struct {
	*testing.T
	engine *record.Engine
}

// cheapHash stands in for the real one, which takes its time on purpose.
func cheapHash(plain string) (string, error) { return "hash of " + fmt.Sprint(len(plain)), nil }

func open(t *testing.T, db sqldb.DB) *fixture {
	t.Helper()
	engine, err := record.Open(t.Context(), db, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Close)
	f := &fixture{t, engine}
	f.sudo(Seed)
	return f
}

// onBoth runs fn on a seeded database of either kind.
func onBoth(t *testing.T, fn func(f *fixture)) {
	t.Helper()
	seeded.Each(t, func(t *testing.T, db sqldb.DB) { fn(open(t, db)) })
}

// story is one thing that a test tells about the models.
type story struct {
	name string
	tell func(f *fixture)
}

// tellOnBoth tells stories, one after the other, on a seeded database of
// either kind: making one is what takes time.
func tellOnBoth(t *testing.T, stories ...story) {
	t.Helper()
	seeded.Each(t, func(t *testing.T, db sqldb.DB) { tell(t, open(t, db), stories...) })
}

func tell(t *testing.T, f *fixture, stories ...story) {
	t.Helper()
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) { s.tell(&fixture{t, f.engine}) })
	}
}

func (f *fixture) sudo(fn func(*record.Env) error) {
	f.Helper()
	if err := f.engine.Sudo(f.Context(), fn); err != nil {
		f.Fatal(explain(err))
	}
}

// explain shows the private cause too.
func explain(err error) string {
	if fe := fault.From(err); fe.Cause != nil {
		return fmt.Sprintf("%v (%v)", fe, fe.Details)
	}
	return err.Error()
}

// as acts as the user with that login.
func (f *fixture) as(login string) *actor {
	f.Helper()
	a := &actor{f: f, caller: &backend.Caller{}}
	f.sudo(func(e *record.Env) error {
		users, err := e.SearchNode("res.users", leaf("login", "=", login), record.WithArchived())
		if err != nil || len(users) == 0 {
			return fmt.Errorf("no user %s: %w", login, err)
		}
		a.caller.UserID = users[0].ID()
		return nil
	})
	return a
}

// actor is a user who calls the backend.
type actor struct {
	f      *fixture
	caller *backend.Caller
}

func (a *actor) in(companies ...int64) *actor {
	c := *a.caller
	c.Context.CompanyIDs = companies
	return &actor{a.f, &c}
}

func (a *actor) create(model string, values backend.Values) int64 {
	a.f.Helper()
	made, err := a.f.engine.Create(a.f.Context(), a.caller, model, []backend.Values{values})
	if err != nil {
		a.f.Fatalf("create %s %v: %s", model, values, explain(err))
	}
	return made.IDs[0]
}

func (a *actor) write(model string, id int64, values backend.Values) {
	a.f.Helper()
	if err := a.f.engine.Write(a.f.Context(), a.caller, model, []int64{id}, values); err != nil {
		a.f.Fatalf("write %s %d %v: %s", model, id, values, explain(err))
	}
}

func (a *actor) unlink(model string, id int64) {
	a.f.Helper()
	if err := a.f.engine.Unlink(a.f.Context(), a.caller, model, []int64{id}); err != nil {
		a.f.Fatalf("unlink %s %d: %s", model, id, explain(err))
	}
}

func (a *actor) call(model, method string, id int64) {
	a.f.Helper()
	if _, err := a.f.engine.Call(a.f.Context(), a.caller, model, method, []int64{id}, nil); err != nil {
		a.f.Fatalf("call %s.%s %d: %s", model, method, id, explain(err))
	}
}

// The refused… forms expect a fault of a kind whose message holds a text.

func (a *actor) refusedCreate(kind fault.Kind, message, model string, values backend.Values) {
	a.f.Helper()
	_, err := a.f.engine.Create(a.f.Context(), a.caller, model, []backend.Values{values})
	a.expect(err, kind, message)
}

func (a *actor) refusedWrite(kind fault.Kind, message, model string, id int64, values backend.Values) {
	a.f.Helper()
	a.expect(a.f.engine.Write(a.f.Context(), a.caller, model, []int64{id}, values), kind, message)
}

func (a *actor) refusedUnlink(kind fault.Kind, message, model string, id int64) {
	a.f.Helper()
	a.expect(a.f.engine.Unlink(a.f.Context(), a.caller, model, []int64{id}), kind, message)
}

func (a *actor) refusedCall(kind fault.Kind, message, model, method string, id int64) {
	a.f.Helper()
	_, err := a.f.engine.Call(a.f.Context(), a.caller, model, method, []int64{id}, nil)
	a.expect(err, kind, message)
}

func (a *actor) refusedRead(kind fault.Kind, model string, id int64, fields ...string) {
	a.f.Helper()
	_, err := a.f.engine.Search(a.f.Context(), a.caller, &backend.Query{Model: model, IDs: []int64{id}, Fields: fields}, &rows{})
	a.expect(err, kind, "")
}

func (a *actor) expect(err error, kind fault.Kind, message string) {
	a.f.Helper()
	switch {
	case err == nil:
		a.f.Errorf("expected %s %q, it went through", kind, message)
	case !fault.Is(err, kind) || !strings.Contains(fault.From(err).Message, message):
		a.f.Errorf("expected %s %q, got %s", kind, message, explain(err))
	}
}

// rows gathers an answer as lists of printed values.
type rows struct {
	columns []backend.Column
	list    []map[string]string
}

func (r *rows) Columns(cols []backend.Column) error {
	r.columns = append([]backend.Column(nil), cols...)
	return nil
}

func (r *rows) Row(values []backend.Value) error {
	row := map[string]string{}
	for i, c := range r.columns {
		row[c.Name] = printed(values[i])
	}
	r.list = append(r.list, row)
	return nil
}

// printed is a value as the tests write it down: text, number, "true", a
// many2one's name, a list of ids; "" when not set.
func printed(v backend.Value) string {
	switch v.Kind {
	case backend.Null:
		return ""
	case backend.Bool:
		return fmt.Sprint(v.Int == 1)
	case backend.Int:
		return fmt.Sprint(v.Int)
	case backend.Float:
		return fmt.Sprint(v.Float())
	case backend.Date, backend.Datetime:
		return v.Time().Format("2006-01-02")
	case backend.Ref:
		return strings.Clone(v.Text)
	case backend.IDs:
		b, _ := json.Marshal(v.List)
		return string(b)
	}
	return strings.Clone(v.Text)
}

// read gives fields of a record, separated by " | ".
func (a *actor) read(model string, id int64, fields ...string) string {
	a.f.Helper()
	out := &rows{}
	_, err := a.f.engine.Search(a.f.Context(), a.caller, &backend.Query{Model: model, IDs: []int64{id}, Fields: fields}, out)
	if err != nil {
		a.f.Fatalf("read %s %d: %s", model, id, explain(err))
	}
	var texts []string
	for _, f := range fields {
		texts = append(texts, out.list[0][f])
	}
	return strings.Join(texts, " | ")
}

// sees expects the fields of a record, as read gives them.
func (a *actor) sees(want, model string, id int64, fields ...string) {
	a.f.Helper()
	if got := a.read(model, id, fields...); got != want {
		a.f.Errorf("%s %d %v: got %q, want %q", model, id, fields, got, want)
	}
}

// count is the number of records that match a domain.
func (a *actor) count(model, domainText string) int {
	a.f.Helper()
	total, err := a.f.engine.Search(a.f.Context(), a.caller,
		&backend.Query{Model: model, DomainText: domainText, Fields: []string{"id"}, Limit: 1, Count: true}, &rows{})
	if err != nil {
		a.f.Fatalf("count %s %s: %s", model, domainText, explain(err))
	}
	return int(total)
}

// find gives the ids that match a condition.
func (a *actor) find(model string, d domain.Node) []int64 {
	a.f.Helper()
	out := &rows{}
	_, err := a.f.engine.Search(a.f.Context(), a.caller, &backend.Query{Model: model, Domain: d, Fields: []string{"id"}}, out)
	if err != nil {
		a.f.Fatalf("search %s: %s", model, explain(err))
	}
	var ids []int64
	for _, r := range out.list {
		ids = append(ids, number(r["id"]))
	}
	return ids
}

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// ref is the id behind an external id.
func (f *fixture) ref(xmlid string) int64 {
	f.Helper()
	var id int64
	f.sudo(func(e *record.Env) error { id = e.Ref(xmlid).ID(); return nil })
	if id == 0 {
		f.Fatalf("no record is called %s", xmlid)
	}
	return id
}
