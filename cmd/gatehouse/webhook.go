package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"gatehouse/internal/app"
	"gatehouse/internal/backend"
	"gatehouse/internal/config"
	"gatehouse/internal/webhook"
)

type webhookCommand struct {
	Create webhookCreate `cmd:"" help:"Create a webhook and print its signing secret, which is shown this once."`
	List   webhookList   `cmd:"" help:"List the webhooks."`
	Test   webhookTest   `cmd:"" help:"Send a test event; a running server delivers it."`
	Rotate webhookRotate `cmd:"" help:"Give a webhook a new signing secret and print it; the old one signs too for 24 hours."`
	Delete webhookDelete `cmd:"" help:"Delete a webhook with its jobs."`
	Resend webhookResend `cmd:"" help:"Send failed jobs of a webhook again, or one job."`
}

type webhookCreate struct {
	output
	Name   string   `required:"" help:"What the webhook is for."`
	Model  string   `required:"" help:"Model to watch, e.g. res.partner."`
	URL    string   `name:"url" required:"" help:"Address to call."`
	On     []string `default:"create,write,unlink" enum:"create,write,unlink" help:"Which changes count: create, write, unlink, separated by commas."`
	Domain string   `help:"Only records that this domain finds."`
	Watch  []string `help:"Writes count only if one of these fields changes, separated by commas."`
	Fields []string `help:"Fields to send, separated by commas; empty: all stored ones."`
	Header []string `sep:"none" placeholder:"NAME: VALUE" help:"A header to send along; may be repeated."`
}

// Run creates the webhook.
func (c webhookCreate) Run(cfg *config.Config) error {
	values := backend.Values{
		"name": c.Name, "model": c.Model, "url": c.URL, "domain": c.Domain,
		"on_create": false, "on_write": false, "on_unlink": false,
		"watch_fields": strings.Join(c.Watch, ","), "fields": strings.Join(c.Fields, ","),
	}
	for _, action := range c.On {
		values["on_"+action] = true
	}
	headers := map[string]any{}
	for _, line := range c.Header {
		name, value, found := strings.Cut(line, ":")
		if !found {
			return config.Usagef("--header: want NAME: VALUE")
		}
		headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	if len(headers) > 0 {
		values["headers"] = headers
	}
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		made, err := a.Engine.Create(ctx, a.Superuser(), webhook.Model, []backend.Values{values})
		if err != nil {
			return err
		}
		return printHook(c.output, made.IDs[0], made.Once[0]["secret"])
	})
}

// printHook prints a secret alone, for scripts; with --json the id too.
func printHook(out output, id int64, secret string) error {
	return out.line(os.Stdout, map[string]any{"id": id, "secret": secret}, "%s", secret)
}

type webhookList struct{ output }

// Run lists the webhooks, without anything secret.
func (c webhookList) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		return listRecords(ctx, a, c.output, webhook.Model, []string{
			"id", "name", "model", "on_create", "on_write", "on_unlink", "url", "domain", "active", "circuit", "failure_count", "last_success_at", "disabled_reason",
		})
	})
}

// hookID is the webhook that a command is about.
type hookID struct {
	ID int64 `arg:"" help:"Id of the webhook, as webhook list shows it."`
}

// call runs a method of the webhook.
func (h hookID) call(ctx context.Context, a *app.App, method string, args backend.Values) (map[string]any, error) {
	answer, err := a.Engine.Call(ctx, a.Superuser(), webhook.Model, method, []int64{h.ID}, args)
	object, _ := answer.(map[string]any)
	return object, err
}

type webhookTest struct {
	output
	hookID
}

// Run sends a test event.
func (c webhookTest) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		answer, err := c.call(ctx, a, "send_test", nil)
		if err != nil {
			return err
		}
		return c.line(os.Stdout, answer, "test event is job %v", answer["job"])
	})
}

type webhookRotate struct {
	output
	hookID
}

// Run rotates the secret.
func (c webhookRotate) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		answer, err := c.call(ctx, a, "rotate_secret", nil)
		if err != nil {
			return err
		}
		return printHook(c.output, c.ID, fmt.Sprint(answer["secret"]))
	})
}

type webhookDelete struct {
	output
	hookID
}

// Run deletes the webhook.
func (c webhookDelete) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		if err := a.Engine.Unlink(ctx, a.Superuser(), webhook.Model, []int64{c.ID}); err != nil {
			return err
		}
		return c.line(os.Stdout, map[string]any{"id": c.ID, "deleted": true}, "webhook %d is deleted", c.ID)
	})
}

type webhookResend struct {
	output
	ID   int64  `arg:"" help:"Id of the webhook; with --job, of the job."`
	Job  bool   `help:"The id is that of one job, whatever became of it."`
	From string `help:"Only jobs made at or after this moment, e.g. 2026-01-31T10:00:00Z."`
	To   string `help:"Only jobs made before this moment."`
}

// Run sends jobs again.
func (c webhookResend) Run(cfg *config.Config) error {
	if c.Job && c.From+c.To != "" {
		return config.Usagef("--job goes without --from and --to")
	}
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		if c.Job {
			if _, err := a.Engine.Call(ctx, a.Superuser(), webhook.JobModel, "resend", []int64{c.ID}, nil); err != nil {
				return err
			}
			return c.line(os.Stdout, map[string]any{"jobs": 1}, "job %d is sent again", c.ID)
		}
		answer, err := hookID{c.ID}.call(ctx, a, "resend_failed", backend.Values{"from": c.From, "to": c.To})
		if err != nil {
			return err
		}
		return c.line(os.Stdout, answer, "%v jobs are sent again", answer["jobs"])
	})
}
