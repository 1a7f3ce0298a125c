package trace

import (
	"context"
	"log/slog"
)

// LogHandler adds the trace's id to the lines of a log that belong to one.
type LogHandler struct{ Next slog.Handler }

// Enabled implements slog.Handler.
func (h LogHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.Next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h LogHandler) Handle(ctx context.Context, r slog.Record) error {
	if p, ok := From(ctx); ok {
		r = r.Clone()
		r.AddAttrs(slog.String("trace_id", p.Trace.String()), slog.String("span_id", p.Span.String()))
	}
	return h.Next.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h LogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return LogHandler{h.Next.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h LogHandler) WithGroup(name string) slog.Handler { return LogHandler{h.Next.WithGroup(name)} }
