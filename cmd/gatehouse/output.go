package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"

	"gatehouse/internal/app"
	"gatehouse/internal/config"
	"gatehouse/internal/fault"
)

// output is how a command prints its result.
type output struct {
	JSON bool `name:"json" help:"Print JSON instead of a table."`
}

// table prints rows under headings, or a JSON array of objects with the
// headings as names.
func (o output) table(w io.Writer, heads []string, rows [][]any) error {
	if o.JSON {
		list := make([]map[string]any, len(rows))
		for i, row := range rows {
			list[i] = map[string]any{}
			for j, head := range heads {
				list[i][head] = row[j]
			}
		}
		return printJSON(w, list)
	}
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, strings.ToUpper(strings.Join(heads, "\t")))
	for _, row := range rows {
		cells := make([]string, len(row))
		for j, cell := range row {
			cells[j] = "-"
			if cell != nil {
				cells[j] = strings.ReplaceAll(fmt.Sprint(cell), "\n", ", ")
			}
		}
		fmt.Fprintln(tw, strings.Join(cells, "\t"))
	}
	return tw.Flush()
}

// line prints a sentence, or an object as JSON.
func (o output) line(w io.Writer, object any, format string, args ...any) error {
	if o.JSON {
		return printJSON(w, object)
	}
	_, err := fmt.Fprintf(w, format+"\n", args...)
	return err
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// message is what a person reads of an error: the public text of a fault and,
// as he is at his own machine, its cause.
func message(err error) string {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err.Error()
	}
	if f.Cause != nil {
		return f.Message + ": " + f.Cause.Error()
	}
	return f.Message
}

// logger is the process log as configured.
func logger(cfg *config.Config) *slog.Logger {
	opts := &slog.HandlerOptions{Level: cfg.Log.SlogLevel()}
	if cfg.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, opts))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, opts))
}

// withApp opens the store for one command and closes it after. It works beside
// a running server, which hears of the change.
func withApp(cfg *config.Config, fn func(ctx context.Context, a *app.App) error) (err error) {
	ctx := context.Background()
	a, err := app.Open(ctx, cfg, logger(cfg), version)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close(ctx)) }()
	if a.FirstPassword != "" {
		fmt.Fprintf(os.Stderr, "Administrator: login admin, password %s (shown this once)\n", a.FirstPassword)
	}
	return fn(ctx, a)
}
