package httpapi

import (
	"context"
	"crypto/sha256"
	"errors"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/identity"
)

// idempotencyKey is the header as net/http spells it.
const idempotencyKey = "Idempotency-Key"

// maxKeptAnswer is the size of the largest answer that is kept whole; of larger ones it is only known that the
// request has been done.
const maxKeptAnswer = 1 << 20

// KeptRequest tells requests with an idempotency key apart.
type KeptRequest struct {
	Owner string // whose key it is
	Key   string
	Print [32]byte // the same for the same request only
}

// KeptAnswer is the answer to one.
type KeptAnswer struct {
	Status   int
	Location string
	Body     []byte
	Withheld string // why the body is not kept; "" where it is
}

// Answers is what the API needs to do requests once.
type Answers interface {
	// Begin refuses a request (Conflict) while this process does one with its
	// key; end lets the next one in.
	Begin(r KeptRequest) (end func(), err error)
	// Find gives an earlier answer or nil, in the running transaction. Conflict:
	// another node is doing it. Unprocessable: the key was used otherwise.
	Find(ctx context.Context, r KeptRequest) (*KeptAnswer, error)
	// Keep stores an answer, in the running transaction where there is one.
	Keep(ctx context.Context, r KeptRequest, a KeptAnswer) error
	// Claim is Find for a request that runs in no transaction: all nodes know
	// from then on that it has begun. Conflict: it had before, and nobody knows how it ended.
	Claim(ctx context.Context, r KeptRequest) (*KeptAnswer, error)
	// Release takes a claim back: nothing was done.
	Release(ctx context.Context, r KeptRequest) error
}

// once runs a POST if it is the first with its key, else gives the answer of
// the first. Change and answer are one transaction.
func (s *Server) once(c *call, run func() (reply, error)) (func() (reply, error), error) {
	if s.deps.Answers == nil {
		return run, nil
	}
	request, err := c.keptRequest()
	if err != nil {
		return nil, err
	}
	return func() (r reply, err error) {
		end, err := s.deps.Answers.Begin(request)
		if err != nil {
			return reply{}, err
		}
		defer end()
		if s.atomic(c) == nil {
			return s.claimed(c, request, run)
		}
		ran := false
		err = s.atomically(c, func() error {
			ran = false
			kept, err := s.deps.Answers.Find(c.ctx, request)
			if err != nil {
				return err
			}
			if kept != nil {
				r, err = replay(kept)
				return err
			}
			ran = true
			if r, err = run(); err != nil {
				return err
			}
			answer, err := c.answerToKeep(&r)
			if err != nil {
				return err
			}
			return s.deps.Answers.Keep(c.ctx, request, answer)
		})
		if ran && err != nil && lasting(err) {
			if kept := s.keepRefusal(c, request, err); kept != nil {
				return reply{}, kept
			}
		}
		return r, err
	}, nil
}

// claimed is once over a backend without transactions. What ends in a way that
// nobody can know, such as a lost connection, stays claimed.
func (s *Server) claimed(c *call, request KeptRequest, run func() (reply, error)) (reply, error) {
	kept, err := s.deps.Answers.Claim(c.ctx, request)
	if err != nil {
		return reply{}, err
	}
	if kept != nil {
		return replay(kept)
	}
	r, err := run()
	// The work is done: that the caller has gone must not lose what is known of it.
	after, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), claimTimeout)
	defer cancel()
	outer := c.ctx
	defer func() { c.ctx = outer }()
	c.ctx = after
	switch {
	case err == nil:
		answer, failed := c.answerToKeep(&r)
		if failed != nil {
			return reply{}, failed
		}
		return r, s.deps.Answers.Keep(after, request, answer)
	case lasting(err):
		if kept := s.keepRefusal(c, request, err); kept != nil {
			return reply{}, kept
		}
	case !uncertain(err):
		if failed := s.deps.Answers.Release(after, request); failed != nil {
			return reply{}, failed
		}
	}
	return reply{}, err
}

// claimTimeout bounds the writing of what became of a claim.
const claimTimeout = 5 * time.Second

// uncertain says that a change may have been made or not.
func uncertain(err error) bool {
	return fault.Is(err, fault.Internal) || fault.Is(err, fault.BadGateway) || fault.Is(err, fault.GatewayTimeout) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// keptRequest reads the key. A request is the same if method, path, query and
// body are, and the credential may do the same.
func (c *call) keptRequest() (KeptRequest, error) {
	values := c.r.Header[idempotencyKey]
	key := strings.Trim(values[0], " \t")
	if len(values) > 1 || key == "" || len(key) > 255 || strings.IndexFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return KeptRequest{}, fault.New(fault.BadRequest,
			"Invalid header Idempotency-Key: expected one key of 1 to 255 visible ASCII characters, such as a UUID")
	}
	owner := "user:" + strconv.FormatInt(c.who.UserID, 10)
	if c.who.Kind == identity.ClientToken {
		owner = "client:" + strconv.FormatInt(c.who.CredentialID, 10)
	}
	if c.who.Odoo != nil { // keys of one user may call as several of the Odoo's
		owner += " as " + strconv.FormatInt(c.who.Odoo.ID, 10)
	}
	digest := sha256.New()
	for _, part := range []string{c.r.Method, c.r.URL.EscapedPath(), c.r.URL.RawQuery, c.who.Scopes.String()} {
		_, _ = digest.Write(wire.AppendString(nil, part))
	}
	_, _ = digest.Write(c.body)
	return KeptRequest{Owner: owner, Key: key, Print: [32]byte(digest.Sum(nil))}, nil
}

// answerToKeep writes an answer before it is sent, so that the very bytes are
// kept. One-time secrets are not.
func (c *call) answerToKeep(r *reply) (KeptAnswer, error) {
	out, err := c.appendReply(nil, r)
	if err != nil {
		return KeptAnswer{}, err
	}
	a := KeptAnswer{Status: r.status(), Location: r.location, Body: append(out, '\n')}
	switch {
	case r.secret || strings.HasPrefix(c.event.Model, adminModels) || c.event.Model == userKeys:
		a.Body, a.Withheld = nil, "may hold secrets"
	case len(a.Body) > maxKeptAnswer:
		a.Body, a.Withheld = nil, "is too large"
	}
	return a, nil
}

// replay answers with what was answered before.
func replay(kept *KeptAnswer) (reply, error) {
	if kept.Withheld != "" {
		return reply{}, fault.New(fault.Conflict, "The request with this Idempotency-Key has been done. Its answer "+
			kept.Withheld+" and was not kept, so it cannot be sent again").With(map[string]any{"status": kept.Status, "location": kept.Location})
	}
	return reply{kept: kept, location: kept.Location}, nil
}

// lasting says that the same request would be refused again, whenever it comes:
// it is malformed, or breaks a rule. Such a refusal is kept too.
func lasting(err error) bool {
	return fault.Is(err, fault.BadRequest) || fault.Is(err, fault.Unprocessable)
}

// keepRefusal keeps a refusal, after the transaction was undone: nothing has
// been done, so nothing can be done twice.
func (s *Server) keepRefusal(c *call, request KeptRequest, refused error) error {
	f := fault.From(refused)
	c.status = StatusOf(f.Kind)
	return s.deps.Answers.Keep(c.ctx, request, KeptAnswer{
		Status: c.status, Body: append(c.appendFault(nil, f), '\n'),
	})
}
