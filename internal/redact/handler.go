package redact

import (
	"context"
	"fmt"
	"log/slog"
)

// Handler is a slog.Handler that masks secrets in every line before another
// one writes it.
type Handler struct{ next slog.Handler }

// NewHandler masks what next writes.
func NewHandler(next slog.Handler) Handler { return Handler{next} }

// Enabled implements slog.Handler.
func (h Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h Handler) Handle(ctx context.Context, r slog.Record) error {
	safe := slog.NewRecord(r.Time, r.Level, Text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		safe.AddAttrs(attr(a))
		return true
	})
	return h.next.Handle(ctx, safe)
}

// WithAttrs implements slog.Handler.
func (h Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	safe := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		safe[i] = attr(a)
	}
	return Handler{h.next.WithAttrs(safe)}
}

// WithGroup implements slog.Handler.
func (h Handler) WithGroup(name string) slog.Handler { return Handler{h.next.WithGroup(name)} }

func attr(a slog.Attr) slog.Attr {
	value := a.Value.Resolve()
	switch value.Kind() {
	case slog.KindString:
		if a.Key == "request_id" {
			return slog.String(a.Key, Strict(value.String()))
		}
		if Name(a.Key) && value.String() != "" {
			return slog.String(a.Key, Mask)
		}
		return slog.String(a.Key, Text(value.String()))
	case slog.KindAny:
		return slog.String(a.Key, JSON(fmt.Sprint(value.Any())))
	case slog.KindGroup:
		group := value.Group()
		safe := make([]any, len(group))
		for i, member := range group {
			safe[i] = attr(member)
		}
		return slog.Group(a.Key, safe...)
	default:
		return a
	}
}
