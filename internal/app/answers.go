package app

import (
	"context"

	"gatehouse/internal/httpapi"
	"gatehouse/internal/idempotency"
)

// answers are kept answers as the API wants them.
type answers struct{ store *idempotency.Store }

// Begin implements httpapi.Answers.
func (a answers) Begin(r httpapi.KeptRequest) (func(), error) {
	return a.store.Begin(idempotency.Request(r))
}

// Find implements httpapi.Answers.
func (a answers) Find(ctx context.Context, r httpapi.KeptRequest) (*httpapi.KeptAnswer, error) {
	found, err := a.store.Find(ctx, idempotency.Request(r))
	return (*httpapi.KeptAnswer)(found), err
}

// Keep implements httpapi.Answers.
func (a answers) Keep(ctx context.Context, r httpapi.KeptRequest, answer httpapi.KeptAnswer) error {
	return a.store.Keep(ctx, idempotency.Request(r), idempotency.Answer(answer))
}

// Claim implements httpapi.Answers.
func (a answers) Claim(ctx context.Context, r httpapi.KeptRequest) (*httpapi.KeptAnswer, error) {
	found, err := a.store.Claim(ctx, idempotency.Request(r))
	return (*httpapi.KeptAnswer)(found), err
}

// Release implements httpapi.Answers.
func (a answers) Release(ctx context.Context, r httpapi.KeptRequest) error {
	return a.store.Release(ctx, idempotency.Request(r))
}
