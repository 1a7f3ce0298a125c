package config

//go:generate go run ./gen

import (
	"fmt"
	"reflect"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"
)

// Setting is a setting as it may be shown to people: secrets are masked.
type Setting struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

// Source says where the value of a setting came from: "--listen",
// "GATEHOUSE_LISTEN", "gatehouse.yaml:3" or "default".
func (c *Config) Source(name string) string {
	if source, ok := c.sources[name]; ok {
		return source
	}
	return "default"
}

// Settings lists every setting with its value, masked where it is secret.
func (c *Config) Settings() []Setting {
	var all []Setting
	for _, flag := range c.flags() {
		all = append(all, Setting{flag.Name, fmt.Sprint(flag.Target.Interface()), c.Source(flag.Name)})
	}
	return all
}

// Redacted is the configuration as text, a line per setting with the place it
// came from. Secrets are masked.
func (c *Config) Redacted() string {
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, s := range c.Settings() {
		fmt.Fprintf(table, "%s\t%s\t(%s)\n", s.Name, s.Value, s.Source)
	}
	_ = table.Flush() // a strings.Builder takes everything
	return out.String()
}

// flags are the settings of c as kong sees them.
func (c *Config) flags() []*kong.Flag {
	parser, err := newParser(c, &struct{}{})
	if err != nil {
		panic(err) // a tag of Config is wrong: a test sees it first
	}
	return settings(parser.Model)
}

const documentHead = `<!-- Made from internal/config by "make gen". Change the struct there, not this page. -->

# Configuration

Gatehouse starts without any configuration. What you do set may come from three places; the first that names a setting decides:

1. a flag: ` + "`--listen :8069`" + `
2. an environment variable: ` + "`GATEHOUSE_LISTEN=:8069`" + ` (an empty one counts as unset)
3. the configuration file: ` + "`listen: :8069`" + `

The file is ` + "`gatehouse.yaml`" + ` in the working directory if there is one, or the one that ` + "`--config FILE`" + ` or ` + "`GATEHOUSE_CONFIG`" + ` names. Its keys are the names of the flags. A key that does not exist, or a value of the wrong type, stops the start with the line and the nearest key that does exist.

` + "```yaml" + `
listen: 0.0.0.0:8069
trusted-proxies: [10.0.0.0/8, fd00::/8]
max-body: 16MiB
log-format: json
` + "```" + `

` + "`gatehouse doctor`" + ` prints the settings in effect and where each came from. Secrets are never printed, logged or repeated in an error.

This page is about what is fixed at the start. Rate limits, log levels of the traffic log, retention and the like are changed while the server runs: in the dashboard, over the API or with ` + "`gatehouse setting`" + `.
`

// apiHelp explains what does not fit into a line.
const apiHelp = `
A curated resource is a model under a name of its own, served as products, orders and customers are: with lists, search, filters,
checked input, the scopes ` + "`leads_read` and `leads_write`" + `, and its place in the API document. What it does not declare neither comes
in nor goes out. A model or field that does not exist, or a name that is taken, stops the start and says where.

` + "```yaml" + `
resources:
  - name: leads                 # /api/v1/leads
    label: Lead                 # in messages: Lead created successfully
    model: crm.lead
    domain: "[('type','=','lead')]"   # only these records; default all
    search: [title, email]      # where search= looks
    fields:                     # the id comes by itself
      - {name: title, field: name, required: true}
      - {name: email, field: email_from, check: email}
      - phone
      - {name: stage, field: stage_id, only: out}
      - {name: kind, field: type, only: in, default: lead}
    actions:                    # POST /api/v1/leads/7/archive
      - {name: archive, method: action_archive}
methods:
  sale.order: [action_confirm, action_cancel]   # only these
  res.partner: ["!copy", "!name_create"]        # all but these
` + "```" + `

Of a field: ` + "`field`" + ` is that of the model (default: the same name), ` + "`only`" + ` is in or out, ` + "`check`" + ` is email, positive or exists (the linked
record), ` + "`default`" + ` is written on create, ` + "`choices`" + ` are words that stand for values (` + "`{open: {active: true}, done: {active: false}}`" + `), and
` + "`lines`" + ` are the fields of a one2many's records. ` + "`methods`" + ` is about the routes that call methods by their name, and about Odoo's own protocols, where a list of names leaves alone what
all models have (` + "`search_read`, `write`" + `, …) and a name with ` + "`!`" + ` in front does not; the actions of a resource are declared already. A method
that may not be called is 403.
`

// Markdown is docs/configuration.md.
func Markdown() string {
	var out strings.Builder
	out.WriteString(documentHead)
	flags := Default().flags()
	for _, group := range groups() {
		fmt.Fprintf(&out, "\n## %s\n\n| setting | variable | default | meaning |\n|---|---|---|---|\n", group.Title)
		for _, flag := range flags {
			if flag.Group != nil && flag.Group.Key == group.Key {
				out.WriteString(row(flag))
			}
		}
		if group.Key == "api" {
			out.WriteString(apiHelp)
		}
	}
	return out.String()
}

// row is a setting's line in the document.
func row(flag *kong.Flag) string {
	text := meaning(flag.Value)
	if !mayComeFrom(flag, "flag") {
		text += " Only the variable sets it: flags can be seen by every user of the machine, and files get copied."
	}
	if flag.Target.Type().Implements(reflect.TypeFor[secret]()) {
		text += " Secret."
	}
	fallback := "–"
	if flag.HasDefault {
		fallback = "`" + flag.Default + "`"
	} else if flag.IsBool() {
		fallback = "`false`"
	}
	return fmt.Sprintf("| `%s` | `%s` | %s | %s |\n", flag.Name, envName(flag), fallback, text)
}

// helpText is what --help says of a flag or an argument.
func helpText(value *kong.Value) string {
	if value.Flag == nil || envName(value.Flag) == "" {
		return kong.DefaultHelpValueFormatter(value)
	}
	aside := "$" + envName(value.Flag)
	if value.HasDefault {
		aside = "default " + value.Default + ", " + aside
	}
	return meaning(value) + " (" + aside + ")"
}

// meaning is the sentence of the help tag and the words to choose from.
func meaning(value *kong.Value) string {
	if value.Enum == "" {
		return value.Help
	}
	return value.Help + " One of " + strings.Join(value.EnumSlice(), ", ") + "."
}
