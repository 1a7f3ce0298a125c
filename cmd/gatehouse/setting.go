package main

import (
	"context"
	"fmt"
	"os"

	"gatehouse/internal/app"
	"gatehouse/internal/config"
)

type settingCommand struct {
	List settingList `cmd:"" help:"Show all settings."`
	Get  settingGet  `cmd:"" help:"Print the value of a setting."`
	Set  settingSet  `cmd:"" help:"Change a setting."`

	Reset            settingReset  `cmd:"" help:"Give a setting its default back."`
	RotateSigningKey settingRotate `cmd:"" help:"Sign tokens with a new key; those of the old one hold until they expire."`
}

type settingList struct{ output }

// Run shows all settings.
func (c settingList) Run(cfg *config.Config) error {
	return withApp(cfg, func(_ context.Context, a *app.App) error {
		var rows [][]any
		for _, item := range a.Settings.List() {
			rows = append(rows, []any{item.Name, item.Value, item.Default, item.Doc})
		}
		return c.table(os.Stdout, []string{"name", "value", "default", "doc"}, rows)
	})
}

type settingGet struct {
	output
	Name string `arg:"" help:"Name of the setting."`
}

// Run prints one value.
func (c settingGet) Run(cfg *config.Config) error {
	return withApp(cfg, func(_ context.Context, a *app.App) error { return c.print(a) })
}

func (c settingGet) print(a *app.App) error {
	for _, item := range a.Settings.List() {
		if item.Name == c.Name {
			return c.line(os.Stdout, map[string]any{"name": item.Name, "value": item.Value}, "%v", item.Value)
		}
	}
	return fmt.Errorf("there is no setting %s; setting list shows all", c.Name)
}

type settingSet struct {
	output
	Name  string `arg:"" help:"Name of the setting."`
	Value string `arg:"" help:"New value."`
}

// Run changes one setting.
func (c settingSet) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		if err := a.Settings.SetBy(ctx, app.CommandLine(), map[string]any{c.Name: c.Value}); err != nil {
			return err
		}
		return c.line(os.Stdout, map[string]any{"name": c.Name, "value": c.Value}, "%s is %s", c.Name, c.Value)
	})
}

type settingReset struct {
	output
	Name string `arg:"" help:"Name of the setting."`
}

// Run gives one setting its default back.
func (c settingReset) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		if err := a.Settings.SetBy(ctx, app.CommandLine(), map[string]any{c.Name: nil}); err != nil {
			return err
		}
		return settingGet(c).print(a)
	})
}

type settingRotate struct{ output }

// Run makes a new signing key, and prints nothing of it.
func (c settingRotate) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		if err := a.Identity.RotateSigningKey(ctx, app.CommandLine()); err != nil {
			return err
		}
		return c.line(os.Stdout, map[string]any{"rotated": true}, "tokens are signed with a new key")
	})
}
