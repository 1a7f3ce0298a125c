package main

import (
	"context"
	"io"
	"os"
	"strings"

	"gatehouse/internal/app"
	"gatehouse/internal/config"
)

// odooFlags are as which user of the Odoo a credential calls it.
type odooFlags struct {
	Login   string `name:"odoo-user" placeholder:"LOGIN" help:"In front of an Odoo: login of the Odoo's user as whom calls are made; empty: as the user himself."`
	KeyFile string `name:"odoo-key-file" placeholder:"FILE" help:"File with an API key of that user, made in the Odoo; - is standard input."`
}

// read takes the key out of its file: on the command line everybody on the
// machine could see it.
func (f odooFlags) read() (app.OdooKey, error) {
	switch {
	case f.Login == "" && f.KeyFile == "":
		return app.OdooKey{}, nil
	case f.Login == "" || f.KeyFile == "":
		return app.OdooKey{}, config.Usagef("--odoo-user and --odoo-key-file go together")
	}
	key, err := readSecretFile("--odoo-key-file", f.KeyFile)
	return app.OdooKey{Login: f.Login, Key: key}, err
}

// readSecretFile takes a secret out of a file, or of standard input for "-".
func readSecretFile(flag, name string) (string, error) {
	const longest = 4096
	in := io.ReadCloser(os.Stdin)
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return "", config.Usagef("%s: %v", flag, err)
		}
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, longest+1))
	if err == nil {
		err = in.Close()
	}
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" || len(text) > longest {
		return "", config.Usagef("%s: want a file that has the key and nothing else", flag)
	}
	return secret, nil
}

type userOdoo struct {
	output
	User    string `required:"" help:"Login of the user."`
	Login   string `name:"login" placeholder:"LOGIN" help:"Login of the Odoo's user as whom his calls are made."`
	KeyFile string `name:"key-file" placeholder:"FILE" help:"File with an API key of that user, made in the Odoo; - is standard input."`
	Detach  bool   `help:"His calls are made as nobody any more."`
}

// Run attaches the user, or detaches him.
func (c userOdoo) Run(cfg *config.Config) error {
	var as app.OdooKey
	switch {
	case c.Detach && (c.Login != "" || c.KeyFile != ""):
		return config.Usagef("--detach goes with no --login and --key-file")
	case !c.Detach && (c.Login == "" || c.KeyFile == ""):
		return config.Usagef("give --login and --key-file, or --detach")
	case !c.Detach:
		key, err := readSecretFile("--key-file", c.KeyFile)
		if err != nil {
			return err
		}
		as = app.OdooKey{Login: c.Login, Key: key}
	}
	return withApp(cfg, func(ctx context.Context, a *app.App) error {
		if err := a.AttachOdoo(ctx, c.User, as); err != nil {
			return err
		}
		if c.Detach {
			return c.line(os.Stdout, map[string]any{"user": c.User, "odoo_login": nil}, "%s is detached from the Odoo", c.User)
		}
		return c.line(os.Stdout, map[string]any{"user": c.User, "odoo_login": c.Login}, "%s calls the Odoo as %s", c.User, c.Login)
	})
}

type odooCommand struct {
	Forget odooForget `cmd:"" help:"Delete all keys and sessions for the Odoo from the store; gateway keys, clients and users need theirs anew."`
}

type odooForget struct{ output }

// Run deletes them. It opens no app: that needs the key which may be lost.
func (c odooForget) Run(cfg *config.Config) error {
	if err := app.ForgetOdoo(context.Background(), cfg); err != nil {
		return err
	}
	return c.line(os.Stdout, map[string]any{"forgotten": true}, "all credentials for the Odoo are deleted; start the servers anew")
}
