package main

import (
	"context"
	"os"

	"gatehouse/internal/app"
	"gatehouse/internal/backend"
	"gatehouse/internal/domain"
)

// listRecords prints fields of all records of a model.
func listRecords(ctx context.Context, a *app.App, out output, model string, fields []string) error {
	return listWhere(ctx, a, out, model, nil, fields)
}

// listWhere prints fields of the records that a domain finds; nil is all.
func listWhere(ctx context.Context, a *app.App, out output, model string, which domain.Node, fields []string) error {
	page := &backend.Page{}
	query := &backend.Query{Model: model, Domain: which, Fields: fields, Order: "id"}
	if _, err := a.Engine.Search(ctx, a.Superuser(), query, page); err != nil {
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
