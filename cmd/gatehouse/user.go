package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"gatehouse/internal/app"
	"gatehouse/internal/config"
)

type userCommand struct {
	Create   userCreate     `cmd:"" help:"Create a user."`
	List     userList       `cmd:"" help:"List the users."`
	Password userPassword   `cmd:"" help:"Give a user a new password, read from standard input."`
	Odoo     userOdoo       `cmd:"" help:"Have a user's calls made as one of the Odoo's, by default for his keys, clients and tokens."`
	Archive  userArchive    `cmd:"" help:"Archive a user: no credential of his works any more."`
	Key      userKeyCommand `cmd:"" help:"Create, list and revoke the API keys of users, as Odoo has them."`
}

type userCreate struct {
	output
	Login  string   `required:"" help:"What the user logs in with."`
	Name   string   `help:"Full name; the login if empty."`
	Groups []string `help:"External ids of groups, e.g. base.group_user,sales_team.group_sale_salesman."`
}

// Run creates the user; his password comes from standard input.
func (c userCreate) Run(cfg *config.Config) error {
	password, err := readPassword()
	if err != nil {
		return err
	}
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		id, err := a.CreateUser(ctx, c.Login, c.Name, password, c.Groups)
		if err != nil {
			return err
		}
		return c.line(os.Stdout, map[string]any{"id": id, "login": c.Login}, "user %s has the id %d", c.Login, id)
	})
}

// readPassword takes the first line of standard input: an argument would be
// seen by everybody on the machine.
func readPassword() (string, error) {
	if info, err := os.Stdin.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		if _, err := os.Stderr.WriteString("Password: "); err != nil {
			return "", err
		}
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	password := strings.TrimRight(line, "\r\n")
	if password == "" {
		return "", config.Usagef("no password on standard input: give it in the first line, as in: … < password.txt")
	}
	return password, nil
}

type userList struct{ output }

// Run lists the users.
func (c userList) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		return listRecords(ctx, a, c.output, "res.users", []string{"id", "login", "name", "active", "company_id", "share"})
	})
}

type userPassword struct {
	output
	Login string `arg:"" help:"Login of the user."`
}

// Run sets the password.
func (c userPassword) Run(cfg *config.Config) error {
	password, err := readPassword()
	if err != nil {
		return err
	}
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		if err := a.SetPassword(ctx, c.Login, password); err != nil {
			return err
		}
		return c.line(os.Stdout, map[string]any{"login": c.Login, "changed": true}, "the password of %s is changed", c.Login)
	})
}

type userArchive struct {
	output
	Login string `arg:"" help:"Login of the user."`
}

// Run archives the user.
func (c userArchive) Run(cfg *config.Config) error {
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		if err := a.ArchiveUser(ctx, c.Login); err != nil {
			return err
		}
		return c.line(os.Stdout, map[string]any{"login": c.Login, "archived": true}, "%s is archived", c.Login)
	})
}
