package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/business"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoocall"

	"gatehouse/internal/record"
	"gatehouse/internal/schema"
	"gatehouse/internal/sqldb"
)

// writesEnv is what the write scenarios are run with.
type writesEnv struct {
	Corpus sqldb.DB // the loaded dump
	Dir    string   // folder of the corpus: writes/*.jsonl, users.json
	Store  string   // "sqlite" or "postgres": where the embedded database lives
	Work   string   // folder for files of the run
	// Server is a PostgreSQL database in which others can be made; for the
	// store postgres only.
	Server string
	Only   string // run only scenarios whose id begins so; "": all
}

// scenario is a line of a file of recorded writes.
type scenario struct {
	ID    string `json:"id"`
	User  string `json:"user"`
	Steps []step `json:"steps"`
}

// step is one call of a scenario and what Odoo answered.
type step struct {
	Model  string         `json:"model"`
	Method string         `json:"method"`
	Kwargs map[string]any `json:"kwargs"`
	User   string         `json:"user"`
	SaveAs string         `json:"save_as"`
	Status int            `json:"status"`
	Result any            `json:"result"`
	Error  *answer        `json:"error"`
}

// answer is an error of Odoo's.
type answer struct {
	Name    string `json:"name"`
	Message string `json:"message"`
}

// runWrites imports the corpus into an embedded database, runs every recorded
// scenario on a fresh copy of it, and compares.
func runWrites(ctx context.Context, c *writesEnv) ([]Outcome, error) {
	users, err := readUsers(filepath.Join(c.Dir, "users.json"))
	if err != nil {
		return nil, err
	}
	topics, err := filepath.Glob(filepath.Join(c.Dir, "writes", "*.jsonl"))
	if err != nil {
		return nil, err
	}
	sort.Strings(topics)
	theirs, err := readNames(ctx, c.Corpus)
	if err != nil {
		return nil, err
	}
	copies, err := prepareCopies(ctx, c)
	if err != nil {
		return nil, err
	}
	defer copies.close(ctx)
	r := &writesRunner{copies: copies, users: users, theirs: theirs}
	if r.reg, err = copies.registry(ctx); err != nil {
		return nil, err
	}
	for _, path := range topics {
		topic := strings.TrimSuffix(filepath.Base(path), ".jsonl")
		scenarios, err := readScenarios(path)
		if err != nil {
			return nil, err
		}
		for _, s := range scenarios {
			if !strings.HasPrefix(s.ID, c.Only) {
				continue
			}
			out, err := r.scenario(ctx, s)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.ID, err)
			}
			out.Topic, out.ID = topic, s.ID
			r.outcomes = append(r.outcomes, out)
		}
	}
	return r.outcomes, nil
}

type writesRunner struct {
	copies   *copies
	users    map[string]int64
	theirs   *names
	reg      *schema.Registry // the embedded one
	outcomes []Outcome
}

// scenario runs one scenario on a fresh copy of the database.
func (r *writesRunner) scenario(ctx context.Context, s *scenario) (out Outcome, err error) {
	for i := range s.Steps {
		if why := r.theirs.lacking(r.reg, &s.Steps[i]); why != "" {
			return Outcome{Verdict: NotHere, Reason: why, Detail: fmt.Sprintf("step %d", i+1)}, nil
		}
	}
	db, drop, err := r.copies.fresh(ctx)
	if err != nil {
		return out, err
	}
	defer func() {
		if dropErr := drop(); err == nil {
			err = dropErr
		}
	}()
	engine, err := openEngine(ctx, db)
	if err != nil {
		return out, err
	}
	defer engine.Close()
	b := newBindings()
	for i := range s.Steps {
		st := &s.Steps[i]
		out := r.step(ctx, engine, b, s, st)
		if out.Verdict != Same {
			out.Detail = fmt.Sprintf("step %d %s.%s %s: %s", i+1, st.Model, st.Method, short(st.Kwargs), out.Detail)
			return out, nil
		}
	}
	return Outcome{Verdict: Same}, nil
}

// step makes one call and compares the answer.
func (r *writesRunner) step(ctx context.Context, engine *record.Engine, b *bindings, s *scenario, st *step) Outcome {
	login := s.User
	if st.User != "" {
		login = st.User
	}
	uid, ok := r.users[login]
	if !ok {
		return Outcome{Verdict: Wrong, Reason: "unknown user", Detail: login}
	}
	kwargs, err := b.fill(st.Kwargs)
	if err != nil {
		return Outcome{Verdict: Wrong, Reason: "unknown symbol", Detail: err.Error()}
	}
	named, _ := kwargs.(map[string]any)
	// Odoo lets a caller link what he cannot read.
	caller := &backend.Caller{UserID: uid, LooseLinks: true}
	got, err := odoocall.Call(ctx, engine, caller, st.Model, st.Method, named)
	if err != nil {
		return compareError(st, err)
	}
	if st.Status != 200 {
		return Outcome{Verdict: Wrong, Reason: "not refused", Detail: fmt.Sprintf("got %s, want %d %s: %s", short(got), st.Status, st.Error.Name, st.Error.Message)}
	}
	plain, err := plainJSON(got)
	if err != nil {
		return Outcome{Verdict: Wrong, Reason: "no JSON", Detail: err.Error()}
	}
	if st.SaveAs != "" {
		b.saved[st.SaveAs] = plain
	}
	if diff := b.compare("", st.Result, plain); diff != "" {
		return Outcome{Verdict: Wrong, Reason: "another result", Detail: diff}
	}
	return Outcome{Verdict: Same}
}

// compareError compares the kind of an error with the one recorded.
func compareError(st *step, err error) Outcome {
	f := fault.From(err)
	what := f.Kind.String() + ": " + f.Message
	if f.Cause != nil {
		what += " (" + f.Cause.Error() + ")"
	}
	if f.Kind == fault.NotFound && strings.Contains(f.Message, "has no public method") && st.Status != 404 {
		return Outcome{Verdict: NotHere, Reason: "no method " + st.Model + "." + st.Method, Detail: what}
	}
	if st.Status == 200 {
		return Outcome{Verdict: Wrong, Reason: "refused", Detail: fmt.Sprintf("%s; want %s", what, short(st.Result))}
	}
	var same bool
	switch st.Status {
	case 403:
		// A model of which the caller may see nothing does not exist to Gatehouse.
		same = f.Kind == fault.Forbidden || errors.Is(err, backend.ErrHidden)
	case 404:
		same = f.Kind == fault.NotFound
	default:
		same = f.Kind == fault.BadRequest || f.Kind == fault.Unprocessable || f.Kind == fault.Conflict
	}
	if same {
		return Outcome{Verdict: Same}
	}
	return Outcome{Verdict: Wrong, Reason: "another kind of error", Detail: fmt.Sprintf("%s; want %d %s: %s", what, st.Status, st.Error.Name, st.Error.Message)}
}

// openEngine opens the embedded engine on a copy.
func openEngine(ctx context.Context, db sqldb.DB) (*record.Engine, error) {
	return record.Open(ctx, db, record.Options{
		Models: declaredModels(), SanitizeHTML: business.HTMLSanitizer(),
		Logics: business.Logics(business.Options{
			// The real hash takes its time on purpose.
			HashPassword: func(plain string) (string, error) { return fmt.Sprintf("hash of %d", len(plain)), nil },
		}),
	})
}

func declaredModels() []*schema.Model { return business.Models() }

func readScenarios(path string) ([]*scenario, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []*scenario
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	for lines.Scan() {
		dec := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		dec.UseNumber()
		s := &scenario{}
		if err := dec.Decode(s); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, s)
	}
	return list, lines.Err()
}

// readUsers gives the ids of users by login.
func readUsers(path string) (map[string]int64, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []struct {
		Login string `json:"login"`
		UID   int64  `json:"uid"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	users := map[string]int64{}
	for _, u := range list {
		users[u.Login] = u.UID
	}
	return users, nil
}

func short(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(b) > 600 {
		return string(b[:600]) + "…"
	}
	return string(b)
}
