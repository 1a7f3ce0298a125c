package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"os"

	"gatehouse/internal/app"
	"gatehouse/internal/config"
)

type openapiCommand struct {
	Spec string `default:"3.1" enum:"3.1,3.0" help:"Version of OpenAPI: 3.1 or 3.0."`
	User string `help:"Login of the user whose document it is, with every model that he may use; empty: what strangers see."`
}

// Run prints the document.
func (c openapiCommand) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		server := cmp.Or(string(cfg.Server.PublicURL), "http://"+string(cfg.Server.Listen))
		doc, err := a.OpenAPI(ctx, c.User, server, c.Spec == "3.0")
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := json.Indent(&out, doc, "", "  "); err != nil {
			return err
		}
		out.WriteByte('\n')
		_, err = out.WriteTo(os.Stdout)
		return err
	})
}
