package main

import (
	"context"
	"os"

	"gatehouse/internal/app"
	"gatehouse/internal/backend"
)

// listRecords prints fields of all records of a model, archived ones too.
func listRecords(ctx context.Context, a *app.App, out output, model string, fields []string) error {
	return listRecordsAs(ctx, a, a.Superuser(), out, model, fields)
}

// listRecordsAs is listRecords of what a caller sees.
func listRecordsAs(ctx context.Context, a *app.App, who *backend.Caller, out output, model string, fields []string) error {
	page := &backend.Page{}
	query := &backend.Query{Model: model, Fields: fields, Order: "id"}
	if _, err := a.Engine.Search(ctx, who, query, page); err != nil {
		return err
	}
	rows := make([][]any, len(page.Rows))
	for i := range page.Rows {
		for _, name := range fields {
			rows[i] = append(rows[i], plain(page.Get(i, name)))
		}
	}
	return out.table(os.Stdout, fields, rows)
}

// plain is a value for a table or for JSON; nil when it is not set.
func plain(v backend.Value) any {
	switch v.Kind {
	case backend.Bool:
		return v.Int == 1
	case backend.Int:
		return v.Int
	case backend.Float:
		return v.Float()
	case backend.Ref:
		return link{v.Int, v.Text}
	case backend.Text, backend.Raw:
		return v.Text
	case backend.Date:
		return v.Time().Format("2006-01-02")
	case backend.Datetime:
		return v.Time().Format("2006-01-02T15:04:05Z")
	case backend.IDs:
		return v.List
	}
	return nil
}

// link is a record that another one names: its name in a table, and in JSON id
// and name, as the API has them, because a name alone may be that of two.
type link struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

func (l link) String() string { return l.Name }
