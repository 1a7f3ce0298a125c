package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/internal/audit"
	"gatehouse/internal/backend"
	"gatehouse/internal/business"
	"gatehouse/internal/gateway"
	"gatehouse/internal/identity"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/sqldb/sqltest"
	"gatehouse/internal/webhook"
)

// world is an engine with webhooks, and the far side that they call.
type world struct {
	*testing.T
	db    sqldb.DB
	eng   *record.Engine
	admin *backend.Caller
	far   *receiver
	log   *logBuffer
	nodes []*webhook.Dispatcher // that are sending
}

// story is a test on a store that it may change as it likes.
type story struct {
	name string
	tell func(w *world)
}

func stories() []story {
	return []story{
		{"Delivery", storyDelivery},
		{"Rotation", storyRotation},
		{"Order", storyOrder},
		{"ManyOfOneRecord", storyManyOfOneRecord},
		{"DeletedByHand", storyDeletedByHand},
		{"SharedConcurrency", storySharedConcurrency},
		{"DeadEndpointDelaysNobody", storyDeadEndpointDelaysNobody},
		{"Circuit", storyCircuit},
		{"ThreeDays", storyThreeDays},
		{"Gone", storyGone},
		{"RetryAfter", storyRetryAfter},
		{"Trace", storyTrace},
		{"ForbiddenTargets", storyForbiddenTargets},
		{"Shutdown", storyShutdown},
		{"LostLease", storyLostLease},
		{"Resend", storyResend},
		{"Payload", storyPayload},
		{"UndoneChangesTellNothing", storyUndoneChangesTellNothing},
		{"WatchedFields", storyWatchedFields},
		{"Domain", storyDomain},
		{"BrokenDomain", storyBrokenDomain},
		{"SideEffects", storySideEffects},
		{"Cascades", storyCascades},
		{"Attachments", storyAttachments},
		{"Validation", storyValidation},
		{"StoredForms", storyStoredForms},
		{"Secrets", storySecrets},
		{"Rights", storyRights},
		{"SendTest", storySendTest},
	}
}

// TestStories tells all stories on both stores, each on one database: making it
// takes longer than they do.
func TestStories(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db sqldb.DB) {
		eng := newWorld(t, db)
		for _, s := range stories() {
			t.Run(s.name, func(t *testing.T) {
				w := &world{T: t, db: db, eng: eng.eng, admin: eng.admin, far: newReceiver(t), log: &logBuffer{}}
				w.empty()
				s.tell(w)
			})
		}
	})
}

// empty takes away what the story before has left.
func (w *world) empty() {
	w.Helper()
	err := w.db.Write(w.Context(), func(tx sqldb.Tx) error {
		for _, table := range []string{"gateway_webhook", "gateway_audit"} {
			if _, err := tx.Exec(w.Context(), "delete from "+table); err != nil {
				return err
			}
		}
		return tx.Signal(w.Context(), webhook.Channel)
	})
	if err != nil {
		w.Fatal(err)
	}
}

func guard() webhook.Guard {
	return webhook.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
}

func newEngine(ctx context.Context, db sqldb.DB) (*record.Engine, *webhook.Outbox, error) {
	outbox := webhook.NewOutbox(db, nil, nil)
	plainHash := func(s string) (string, error) { return "hash of " + strconv.Itoa(len(s)), nil }
	eng, err := record.Open(ctx, db, record.Options{
		Models: slices.Concat(business.Models(), identity.Models(), audit.Models(), webhook.Models()),
		Logics: append(business.Logics(business.Options{HashPassword: plainHash}), gateway.WebhookLogics(guard(), &gateway.Keys{})...),
		Outbox: outbox,
	})
	return eng, outbox, err
}

func newWorld(t *testing.T, db sqldb.DB) *world {
	t.Helper()
	eng, outbox, err := newEngine(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { eng.Close(); outbox.Close() })
	if err := eng.Sudo(t.Context(), business.Seed); err != nil {
		t.Fatal(err)
	}
	return &world{
		T: t, db: db, eng: eng, far: newReceiver(t), log: &logBuffer{},
		admin: &backend.Caller{UserID: 2, Admin: true, Origin: audit.Origin{Via: audit.API}},
	}
}

// dispatch starts a dispatcher that is impatient.
func (w *world) dispatch() *webhook.Dispatcher {
	w.Helper()
	d := webhook.NewDispatcher(w.db, webhook.Options{
		Guard: guard(), Version: "test", Log: w.log.logger(), Timeout: 2 * time.Second, Grace: 200 * time.Millisecond,
		Lease: 3 * time.Second, Backoff: func(int) time.Duration { return 20 * time.Millisecond },
	})
	d.Start(w.Context())
	w.nodes = append(w.nodes, d)
	w.Cleanup(w.stopAll)
	return d
}

// stopAll stops all dispatchers.
func (w *world) stopAll() {
	w.Helper()
	for _, d := range w.nodes {
		if err := d.Stop(context.Background()); err != nil {
			w.Error(err)
		}
	}
}

// hook creates a webhook that calls the far side.
func (w *world) hook(values backend.Values) (id int64, secret string) {
	w.Helper()
	all := backend.Values{"name": "test", "model": "res.partner", "url": w.far.URL}
	for name, v := range values {
		all[name] = v
	}
	made, err := w.eng.Create(w.Context(), w.admin, webhook.Model, []backend.Values{all})
	if err != nil {
		w.Fatal(err)
	}
	return made.IDs[0], made.Once[0]["secret"]
}

func (w *world) create(model string, values ...backend.Values) []int64 {
	w.Helper()
	made, err := w.eng.Create(w.Context(), w.admin, model, values)
	if err != nil {
		w.Fatal(err)
	}
	return made.IDs
}

func (w *world) write(model string, id int64, values backend.Values) {
	w.Helper()
	if err := w.eng.Write(w.Context(), w.admin, model, []int64{id}, values); err != nil {
		w.Fatal(err)
	}
}

func (w *world) unlink(model string, ids ...int64) {
	w.Helper()
	if err := w.eng.Unlink(w.Context(), w.admin, model, ids); err != nil {
		w.Fatal(err)
	}
}

func (w *world) call(model, method string, id int64, args backend.Values) any {
	w.Helper()
	out, err := w.eng.Call(w.Context(), w.admin, model, method, []int64{id}, args)
	if err != nil {
		w.Fatal(err)
	}
	return out
}

// body is what a call brings.
type body struct {
	Action    string                    `json:"action"`
	Model     string                    `json:"model"`
	Record    map[string]any            `json:"record"`
	Changed   map[string]map[string]any `json:"changed"`
	EventID   string                    `json:"event_id"`
	Timestamp string                    `json:"timestamp"`
	raw       string
}

// id is that of the record.
func (b body) id() int64 {
	f, _ := b.Record["id"].(float64)
	return int64(f)
}

// jobs are the payloads of all jobs, in order.
func (w *world) jobs() []body {
	w.Helper()
	var all []body
	err := w.db.Read(w.Context(), func(q sqldb.Querier) error {
		return q.Query(w.Context(), `select payload from gateway_webhook_job order by id`, nil, func(r sqldb.Row) error {
			b := body{raw: r.Text(0)}
			all = append(all, b)
			return json.Unmarshal([]byte(b.raw), &all[len(all)-1])
		})
	})
	if err != nil {
		w.Fatal(err)
	}
	return all
}

// clear forgets all jobs.
func (w *world) clear() {
	w.Helper()
	err := w.db.Write(w.Context(), func(tx sqldb.Tx) error {
		_, err := tx.Exec(w.Context(), `delete from gateway_webhook_job`)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
}

// said is the actions and ids of jobs, such as "create 7".
func said(all []body) string {
	var words []string
	for _, b := range all {
		words = append(words, b.Action)
	}
	return strings.Join(words, " ")
}

// get reads fields of a record.
func (w *world) get(model string, id int64, fields ...string) map[string]backend.Value {
	w.Helper()
	page := &backend.Page{}
	c := &backend.Caller{UserID: 1, Superuser: true, Admin: true}
	if _, err := w.eng.Search(w.Context(), c, &backend.Query{Model: model, IDs: []int64{id}, Fields: fields}, page); err != nil {
		w.Fatal(err)
	}
	out := map[string]backend.Value{}
	for _, f := range fields {
		out[f] = page.Get(0, f)
	}
	return out
}

// until waits for something that the dispatcher does in the background.
func (w *world) until(what string, ok func() bool) {
	w.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.Fatalf("waited in vain for %s", what)
		}
	}
}

// receiver is the far side.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []received
	answer func(n int, r *http.Request) (status int, header http.Header, text string) // n counts from 0
	more   chan struct{}
}

type received struct {
	header http.Header
	body   []byte
	at     time.Time
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{more: make(chan struct{}, 10_000)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		text, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		n := len(r.got)
		r.got = append(r.got, received{req.Header, text, time.Now()})
		answer := r.answer
		r.mu.Unlock()
		r.more <- struct{}{}
		if answer != nil {
			status, header, text := answer(n, req)
			for name, values := range header {
				w.Header()[name] = values
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// answering sets what the far side answers from now on.
func (r *receiver) answering(fn func(n int, req *http.Request) (int, http.Header, string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = fn
}

// calls are those until now.
func (r *receiver) calls() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// next waits for a call.
func (w *world) next() received {
	w.Helper()
	select {
	case <-w.far.more:
	case <-time.After(15 * time.Second):
		w.Fatal("no call came")
	}
	all := w.far.calls()
	return all[len(all)-1-len(w.far.more)]
}

// verified checks a signature as a receiver does.
func verified(secret string, r received) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(r.header.Get("Webhook-Id") + "." + r.header.Get("Webhook-Timestamp") + "."))
	mac.Write(r.body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return slices.Contains(strings.Fields(r.header.Get("Webhook-Signature")), want)
}
