// Package config holds every setting that Gatehouse takes at its start, once:
// name, default, meaning and type stand in the tags of Config and nowhere
// else. Flags, GATEHOUSE_… variables, the keys of gatehouse.yaml,
// docs/configuration.md and what `gatehouse doctor` prints are derived from it.
//
// A flag wins over a variable, a variable over the file, the file over the
// default. Settings that change while the server runs are not here: they live
// in the store.
package config

import (
	"log/slog"
	"time"

	"github.com/alecthomas/kong"
)

// Config is the whole start-up configuration. To add a setting, add a field:
// `name` is the flag without its dashes and the key in the file, `env` its
// variable, `help` a sentence for --help and the document. A field whose type
// is secret (Secret, DatabaseURL) is masked wherever it is printed. `from`
// narrows where a setting may come from.
type Config struct {
	File string `name:"config" env:"GATEHOUSE_CONFIG" from:"flag,env" placeholder:"FILE" help:"Configuration file. Without it, gatehouse.yaml of the working directory is read if there is one."`

	Server  Server  `embed:"" group:"server"`
	Store   Store   `embed:"" group:"store"`
	API     API     `embed:"" group:"api"`
	Webhook Webhook `embed:"" group:"webhook"`
	Odoo    Odoo    `embed:"" group:"odoo"`
	Trace   Trace   `embed:"" group:"trace"`
	Log     Log     `embed:"" group:"log"`

	sources map[string]string // setting name → where its value came from
}

// Server is how Gatehouse listens and what it bears of a request.
type Server struct {
	Listen           Address       `name:"listen" env:"GATEHOUSE_LISTEN" default:"127.0.0.1:8069" placeholder:"HOST:PORT" help:"Address that serves the API and the dashboard. An empty host means every interface."`
	MetricsListen    Address       `name:"metrics-listen" env:"GATEHOUSE_METRICS_LISTEN" placeholder:"HOST:PORT" help:"Address that serves /metrics to Prometheus without a credential: one that only it can reach. Empty: /metrics is on the main address, for administrators."`
	TrustedProxies   Networks      `name:"trusted-proxies" env:"GATEHOUSE_TRUSTED_PROXIES" placeholder:"CIDR,..." help:"Networks of the proxies whose X-Forwarded-For is believed. Empty: nobody's."`
	NeverBlock       Networks      `name:"never-block" env:"GATEHOUSE_NEVER_BLOCK" placeholder:"CIDR,..." help:"Networks that are never blocked, whatever they do: an office, a monitor. Trusted proxies never are."`
	PublicURL        PublicURL     `name:"public-url" env:"GATEHOUSE_PUBLIC_URL" placeholder:"URL" help:"Address at which callers reach this server, such as https://api.example.com: the issuer and endpoints that OAuth2 clients are told. Empty: what each caller reached it as."`
	TokenSigning     Signing       `name:"token-signing" env:"GATEHOUSE_TOKEN_SIGNING" default:"stored" placeholder:"ALGORITHM" enum:"stored,HS256,EdDSA,ES256" help:"What new tokens are signed with; another one than before makes a new key, and tokens of the old one hold until they expire. stored: as the last key, HS256 in a new store. EdDSA and ES256 publish their public key at /.well-known/jwks.json."`
	MaxBody          ByteSize      `name:"max-body" env:"GATEHOUSE_MAX_BODY" default:"8MiB" placeholder:"SIZE" help:"Largest request body, in bytes or with a unit (512KiB, 8MiB). Larger ones are answered 413."`
	MaxUpload        ByteSize      `name:"max-upload" env:"GATEHOUSE_MAX_UPLOAD" default:"32MiB" placeholder:"SIZE" help:"Largest file that is put into a binary field as it is, and largest form of files."`
	RequestTimeout   time.Duration `name:"request-timeout" env:"GATEHOUSE_REQUEST_TIMEOUT" default:"30s" placeholder:"DURATION" help:"Longest time that one request may take."`
	RateLimitOnError string        `name:"rate-limit-on-error" env:"GATEHOUSE_RATE_LIMIT_ON_ERROR" default:"closed" placeholder:"CHOICE" enum:"closed,open" help:"What becomes of requests that cannot be counted because the store does not answer. closed: they are refused with 503. open: they are let through without a limit."`
	ShutdownTimeout  time.Duration `name:"shutdown-timeout" env:"GATEHOUSE_SHUTDOWN_TIMEOUT" default:"15s" placeholder:"DURATION" help:"Longest wait at shutdown for running requests to end and logs to be written."`
}

// Store is where records live and how the database begins.
type Store struct {
	DataDir          string      `name:"data-dir" env:"GATEHOUSE_DATA_DIR" default:"./gatehouse_data" placeholder:"DIR" help:"Folder of the SQLite database and of key files."`
	DatabaseURL      DatabaseURL `name:"database-url" env:"GATEHOUSE_DATABASE_URL" placeholder:"URL" help:"PostgreSQL to use in place of SQLite: postgres://user:password@host/database."`
	DatabaseMaxConns int         `name:"database-max-conns" env:"GATEHOUSE_DATABASE_MAX_CONNS" default:"0" placeholder:"N" help:"Most connections that this process opens to PostgreSQL for requests. 0: eight per processor."`
	Demo             bool        `name:"demo" env:"GATEHOUSE_DEMO" help:"Load demo data at the first start. Never over existing data."`
	TrafficDemo      bool        `name:"traffic-demo" env:"GATEHOUSE_TRAFFIC_DEMO" help:"Write a year of invented traffic, so that the dashboard can be seen full. Once, and never over traffic that there is."`
	AdminPassword    Secret      `name:"admin-password" env:"GATEHOUSE_ADMIN_PASSWORD" from:"env" help:"Password of the user admin, who is made at the first start. Without it a random one is made and printed once."`
}

// API is what the REST API offers beside what comes with Gatehouse.
type API struct {
	Resources Resources   `name:"resources" env:"GATEHOUSE_RESOURCES" from:"env,file" placeholder:"YAML" help:"Curated resources of your own: see below."`
	Methods   MethodLists `name:"methods" env:"GATEHOUSE_METHODS" from:"env,file" placeholder:"YAML" help:"Which business methods may be called, by model: see below. Models that are not named: all public ones."`
}

// Webhook is what webhooks may reach.
type Webhook struct {
	AllowNetworks Networks `name:"webhook-allow-networks" env:"GATEHOUSE_WEBHOOK_ALLOW_NETWORKS" placeholder:"CIDR,..." help:"Networks that are not public (private, loopback, link-local) and that webhooks may call nevertheless, such as 10.1.0.0/16. Empty: none."`
}

// Odoo is the Odoo that Gatehouse stands in front of, if any.
type Odoo struct {
	URL            PublicURL     `name:"odoo-url" env:"GATEHOUSE_ODOO_URL" placeholder:"URL" help:"Address of an Odoo to stand in front of, such as https://erp.example.com: records come from there, and its users may call. Empty: records are of Gatehouse's own database."`
	DB             string        `name:"odoo-db" env:"GATEHOUSE_ODOO_DB" placeholder:"NAME" help:"Name of the Odoo's database. Empty: the only one that it serves at that address."`
	Protocol       string        `name:"odoo-protocol" env:"GATEHOUSE_ODOO_PROTOCOL" default:"auto" placeholder:"NAME" enum:"auto,json2,jsonrpc,xmlrpc,web" help:"How to talk to the Odoo. auto: the best that it has."`
	Login          string        `name:"odoo-login" env:"GATEHOUSE_ODOO_LOGIN" placeholder:"LOGIN" help:"Login of the technical user, who reads what models and fields there are and looks for changes."`
	Key            Secret        `name:"odoo-key" env:"GATEHOUSE_ODOO_KEY" from:"env,file" placeholder:"KEY" help:"API key of the technical user."`
	Timeout        time.Duration `name:"odoo-timeout" env:"GATEHOUSE_ODOO_TIMEOUT" default:"30s" placeholder:"DURATION" help:"Longest time that one call of the Odoo may take."`
	MaxConns       int           `name:"odoo-max-conns" env:"GATEHOUSE_ODOO_MAX_CONNS" default:"8" placeholder:"N" help:"Most calls of the Odoo at a time: not more than it has workers."`
	Queue          int           `name:"odoo-queue" env:"GATEHOUSE_ODOO_QUEUE" default:"256" placeholder:"N" help:"Most calls that wait for their turn. More are answered 503."`
	Poll           time.Duration `name:"odoo-poll" env:"GATEHOUSE_ODOO_POLL" default:"5s" placeholder:"DURATION" help:"How often the Odoo is asked for changes, for webhooks. From 1s; 0s: never."`
	ForwardAddress bool          `name:"odoo-forward-address" env:"GATEHOUSE_ODOO_FORWARD_ADDRESS" help:"Tell the Odoo the address of who calls (X-Forwarded-For). Only for one that runs with proxy_mode and believes this server."`
	EncryptionKey  Secret        `name:"encryption-key" env:"GATEHOUSE_ENCRYPTION_KEY" from:"env" help:"Key that credentials for the Odoo are sealed with in the store: 32 bytes as base64 or hexadecimal digits, the same on all nodes. Without it one is made in the file encryption.key of the data folder."`
}

// Trace is where spans of requests go. What is not set, OpenTelemetry's own
// variables (OTEL_…) say.
type Trace struct {
	Endpoint PublicURL `name:"trace-endpoint" env:"GATEHOUSE_TRACE_ENDPOINT" placeholder:"URL" help:"OpenTelemetry collector that spans of requests are sent to, over OTLP/HTTP: http://collector:4318. Empty: what OTEL_EXPORTER_OTLP_ENDPOINT says, and without it there are no traces."`
	Headers  Secret    `name:"trace-headers" env:"GATEHOUSE_TRACE_HEADERS" from:"env,file" placeholder:"NAME=VALUE,..." help:"Headers that the collector wants, such as its credential; values are percent-encoded. Empty: OTEL_EXPORTER_OTLP_HEADERS."`
	Sample   Ratio     `name:"trace-sample" env:"GATEHOUSE_TRACE_SAMPLE" placeholder:"RATIO" help:"Share of the traces beginning here that are kept, from 0 to 1; of others, who began them decides. Empty: what OTEL_TRACES_SAMPLER says, and without it all."`
	Service  string    `name:"trace-service" env:"GATEHOUSE_TRACE_SERVICE" placeholder:"NAME" help:"Name of this service in traces. Empty: OTEL_SERVICE_NAME, and without it gatehouse."`
}

// Log is what the process itself prints; the traffic log is a stored setting.
type Log struct {
	Format string `name:"log-format" env:"GATEHOUSE_LOG_FORMAT" default:"text" placeholder:"FORMAT" enum:"text,json" help:"Shape of the log on standard error."`
	Level  string `name:"log-level" env:"GATEHOUSE_LOG_LEVEL" default:"info" placeholder:"LEVEL" enum:"debug,info,warn,error" help:"Least level that is logged."`
}

// groups are the headings of --help and of the document, in order.
func groups() []kong.Group {
	return []kong.Group{
		{Key: "server", Title: "Server"},
		{Key: "store", Title: "Store"},
		{Key: "api", Title: "API"},
		{Key: "webhook", Title: "Webhooks"},
		{Key: "odoo", Title: "Odoo"},
		{Key: "trace", Title: "Traces"},
		{Key: "log", Title: "Log"},
	}
}

// SlogLevel is Level as log/slog knows it.
func (l Log) SlogLevel() slog.Level {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.Level)) // the enum admits only slog's own names
	return level
}

// invalid gives the name of the first setting whose value makes no sense, and
// why; "" if all is well. What a type can check alone, its UnmarshalText does.
func (c *Config) invalid() (name, why string) {
	switch {
	case c.Server.MaxBody <= 0:
		return "max-body", "must be more than 0"
	case c.Server.RequestTimeout <= 0:
		return "request-timeout", "must be more than 0s"
	case c.Server.ShutdownTimeout <= 0:
		return "shutdown-timeout", "must be more than 0s"
	case c.Store.DataDir == "":
		return "data-dir", "must not be empty"
	case c.Store.DatabaseMaxConns < 0:
		return "database-max-conns", "must not be negative"
	case c.Odoo.URL != "" && c.Store.Demo:
		return "demo", "is for the embedded database, and records are those of odoo-url"
	case c.Odoo.Timeout <= 0:
		return "odoo-timeout", "must be more than 0s"
	case c.Odoo.Poll != 0 && c.Odoo.Poll < time.Second:
		return "odoo-poll", "must be 1s or more, or 0s for never"
	case c.Odoo.MaxConns <= 0:
		return "odoo-max-conns", "must be more than 0"
	case c.Odoo.Queue <= 0:
		return "odoo-queue", "must be more than 0"
	case c.Odoo.Login != "" && c.Odoo.Key == "" || c.Odoo.Login == "" && c.Odoo.Key != "":
		return "odoo-login", "needs odoo-key, and odoo-key needs odoo-login: set both or neither"
	}
	return "", ""
}
