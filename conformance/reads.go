package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"gatehouse/internal/backend"
	"gatehouse/internal/facts"
	"gatehouse/internal/fault"
	"gatehouse/internal/odoocall"
	"gatehouse/internal/record"
	"gatehouse/internal/sqldb"
)

// readCase is a line of a file of recorded reads.
type readCase struct {
	ID     string         `json:"id"`
	User   string         `json:"user"`
	Model  string         `json:"model"`
	Method string         `json:"method"`
	Kwargs map[string]any `json:"kwargs"`
	Status int            `json:"status"`
	Result any            `json:"result"`
	Error  *struct {
		Name    string `json:"name"`
		Message string `json:"message"`
	} `json:"error"`
}

// openGenuine makes an engine on a genuine Odoo's database.
func openGenuine(ctx context.Context, db sqldb.DB) (*record.Engine, error) {
	known, err := facts.Odoo19()
	if err != nil {
		return nil, err
	}
	return record.Open(ctx, db, record.Options{Odoo: known})
}

// runReads asks the engine every recorded question whose id begins with only.
// stored are the outcomes of those that touch stored fields only.
func runReads(ctx context.Context, c *corpus, only string) (all, stored []Outcome, err error) {
	engine, err := openGenuine(ctx, c.db)
	if err != nil {
		return nil, nil, err
	}
	defer engine.Close()
	reg, err := engine.Registry(ctx)
	if err != nil {
		return nil, nil, err
	}
	err = c.eachRead(only, func(topic string, rc *readCase) {
		out := c.read(ctx, engine, rc)
		out.Topic, out.ID = topic, rc.ID
		all = append(all, out)
		if storedOnly(reg, rc) {
			stored = append(stored, out)
		}
	})
	return all, stored, err
}

// read asks one question and compares.
func (c *corpus) read(ctx context.Context, b backend.Backend, rc *readCase) Outcome {
	uid, ok := c.users[rc.User]
	if !ok {
		return Outcome{Verdict: Wrong, Reason: "no such user", Detail: rc.User}
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	got, err := odoocall.Call(ctx, b, &backend.Caller{UserID: uid, LooseLinks: true}, rc.Model, rc.Method, rc.Kwargs)
	if u, ok := errors.AsType[*backend.UnprovableError](err); ok {
		return Outcome{Verdict: NotProvable, Reason: string(u.Reason), Detail: u.Subject}
	}
	if fault.Is(err, fault.Internal) {
		return Outcome{Verdict: Wrong, Reason: "internal error", Detail: err.Error()}
	}
	if want := wantedError(rc.Status, rc.Error != nil); want != "" || err != nil {
		if kind := errorKind(err); kind != want {
			return Outcome{Verdict: Wrong, Reason: fmt.Sprintf("Odoo: %s, here: %s", orResult(want), orResult(kind)), Detail: detailOf(rc, err)}
		}
		return Outcome{Verdict: Same}
	}
	plain, err := plainJSON(got)
	if err != nil {
		return Outcome{Verdict: Wrong, Reason: "no JSON", Detail: err.Error()}
	}
	if at := newBindings().compare("", rc.Result, plain); at != "" {
		return Outcome{Verdict: Wrong, Reason: "another result", Detail: at}
	}
	return Outcome{Verdict: Same}
}

func orResult(kind string) string {
	if kind == "" {
		return "a result"
	}
	return kind
}

func detailOf(rc *readCase, err error) string {
	switch {
	case err != nil && rc.Error != nil:
		return err.Error() + " — Odoo: " + short(rc.Error.Message)
	case err != nil:
		return err.Error()
	}
	return short(rc.Error.Message)
}

// wantedError is the kind of error that was recorded, "" for a result. What
// Odoo's code trips over (500) is to be refused as invalid.
func wantedError(status int, failed bool) string {
	switch {
	case !failed:
		return ""
	case status == 403:
		return "forbidden"
	case status == 404:
		return "not found"
	}
	return "invalid"
}

// errorKind is the kind of an error of ours, in the same words.
func errorKind(err error) string {
	if err == nil {
		return ""
	}
	switch kind := fault.From(err).Kind; kind {
	case fault.Forbidden:
		return "forbidden"
	case fault.NotFound:
		return "not found"
	case fault.BadRequest, fault.Unprocessable, fault.Conflict:
		return "invalid"
	default:
		return kind.String()
	}
}

func eachLine(path string, fn func([]byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := fn(lines.Bytes()); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}

// decode keeps numbers as they are written.
func decode(line []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	return d.Decode(into)
}
