// Command gatehouse is the secure REST API of an Odoo, or of its own embedded
// database. This package holds flags, output and exit codes only.
package main

import (
	"fmt"
	"os"
	_ "time/tzdata" // time zones must work on machines that have none

	"gatehouse/internal/config"
)

// version is set by the linker.
var version = "dev"

// commands is the command line.
type commands struct {
	Serve   serveCommand   `cmd:"" help:"Run the server."`
	User    userCommand    `cmd:"" help:"Create, list and change users."`
	Key     keyCommand     `cmd:"" help:"Create, list and revoke API keys."`
	Client  clientCommand  `cmd:"" help:"Create, list and deactivate OAuth2 clients, and change their secrets."`
	Profile profileCommand `cmd:"" help:"Create, list, change and delete API profiles of users."`
	Odoo    odooCommand    `cmd:"" help:"Delete the credentials for the Odoo, when their encryption key is lost."`
	Webhook webhookCommand `cmd:"" help:"Create, list, test and delete webhooks, change their secrets, send events again."`
	Job     jobCommand     `cmd:"" help:"List maintenance jobs, and run one."`
	Setting settingCommand `cmd:"" help:"Show and change settings; a running server notices within a second."`
	Block   blockCommand   `cmd:"" help:"Block addresses, list and end blocks."`
	Backup  backupCommand  `cmd:"" help:"Copy the store into a new file while the server runs."`
	OpenAPI openapiCommand `cmd:"" name:"openapi" help:"Print the OpenAPI document: what anybody may see, or what a user may use."`
	Doctor  doctorCommand  `cmd:"" help:"Check the configuration, the store and the clock."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	kctx, _, err := config.Load(args, &commands{})
	if err == nil {
		err = kctx.Run()
	}
	if code := config.ExitCode(err); code != 0 {
		fmt.Fprintln(os.Stderr, "gatehouse:", message(err))
		return code
	}
	return 0
}
