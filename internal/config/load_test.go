package config

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// commands is a command tree like that of cmd/gatehouse.
type commands struct {
	Serve struct{} `cmd:"" help:"Run the server."`
	Key   struct {
		Name string `required:""`
	} `cmd:"" help:"Make a key."`
}

// start loads as the program does, in an empty folder with the given file and
// variables.
func start(t *testing.T, file string, env map[string]string, args ...string) (*Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if file != "" {
		if err := os.WriteFile(defaultFile, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range env {
		t.Setenv(name, value)
	}
	_, cfg, err := Load(append(args, "serve"), &commands{}, kong.Writers(io.Discard, io.Discard))
	return cfg, err
}

func TestPrecedence(t *testing.T) {
	const file = "listen: 127.0.0.1:1\n"
	env := map[string]string{"GATEHOUSE_LISTEN": "127.0.0.1:2"}
	for _, test := range []struct {
		name, file   string
		env          map[string]string
		args         []string
		want, source string
	}{
		{"default", "", nil, nil, "127.0.0.1:8069", "default"},
		{"file over default", file, nil, nil, "127.0.0.1:1", "gatehouse.yaml:1"},
		{"variable over file", file, env, nil, "127.0.0.1:2", "GATEHOUSE_LISTEN"},
		{"flag over variable", file, env, []string{"--listen", "127.0.0.1:3"}, "127.0.0.1:3", "--listen"},
		{"empty variable is unset", file, map[string]string{"GATEHOUSE_LISTEN": ""}, nil, "127.0.0.1:1", "gatehouse.yaml:1"},
		{"empty --config is no file", file, nil, []string{"--config="}, "127.0.0.1:8069", "default"},
		{"empty key is unset", "listen:\n", nil, nil, "127.0.0.1:8069", "default"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := start(t, test.file, test.env, test.args...)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(cfg.Server.Listen); got != test.want || cfg.Source("listen") != test.source {
				t.Errorf("got %s from %s, want %s from %s", got, cfg.Source("listen"), test.want, test.source)
			}
		})
	}
}

func TestEveryTypeFromEverySource(t *testing.T) {
	check := func(t *testing.T, cfg *Config, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		s := cfg.Server
		if s.TrustedProxies.String() != "10.0.0.0/8,192.0.2.7/32,fd00::/8" || s.MaxBody != 16<<20 || s.RequestTimeout != time.Minute {
			t.Errorf("server: %+v", s)
		}
		d := cfg.Store
		if d.DatabaseURL.Reveal() != "postgres://u:pw@db/gate" || d.DatabaseMaxConns != 7 || !d.Demo || cfg.Log.Format != "json" {
			t.Errorf("store: %+v, log: %+v", d, cfg.Log)
		}
	}
	t.Run("file", func(t *testing.T) {
		cfg, err := start(t, `# comment
trusted-proxies: [10.1.2.3/8, 192.0.2.7, fd00::/8]
max-body: 16777216
request-timeout: 1m
database-url: postgres://u:pw@db/gate
database-max-conns: 7
demo: true
log-format: json
`, nil)
		check(t, cfg, err)
	})
	t.Run("variables", func(t *testing.T) {
		cfg, err := start(t, "", map[string]string{
			"GATEHOUSE_TRUSTED_PROXIES": "10.1.2.3/8, 192.0.2.7,fd00::/8", "GATEHOUSE_MAX_BODY": "16 mib",
			"GATEHOUSE_REQUEST_TIMEOUT": "60s", "GATEHOUSE_DATABASE_URL": "postgres://u:pw@db/gate",
			"GATEHOUSE_DATABASE_MAX_CONNS": "7", "GATEHOUSE_DEMO": "true", "GATEHOUSE_LOG_FORMAT": "json",
		})
		check(t, cfg, err)
	})
	t.Run("flags", func(t *testing.T) {
		cfg, err := start(t, "", nil, "--trusted-proxies=10.1.2.3/8,192.0.2.7,fd00::/8", "--max-body=16MiB",
			"--request-timeout=60s", "--database-url=postgres://u:pw@db/gate", "--database-max-conns=7", "--demo", "--log-format=json")
		check(t, cfg, err)
	})
}

func TestConfigFileIsNamed(t *testing.T) {
	cfg, err := start(t, "demo: true\n", nil)
	if err != nil || cfg.File != "gatehouse.yaml" || cfg.Source("config") != "default" {
		t.Errorf("%q from %s, %v", cfg.File, cfg.Source("config"), err)
	}
	if err := os.WriteFile("other.yaml", []byte("max-body: 1KiB\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GATEHOUSE_CONFIG", "other.yaml")
	_, cfg, err = Load([]string{"serve"}, &commands{})
	if err != nil || cfg.Server.MaxBody != 1<<10 || cfg.Store.Demo || cfg.Source("max-body") != "other.yaml:1" {
		t.Errorf("%+v, %v", cfg, err)
	}
	_, cfg, err = Load([]string{"--config=gatehouse.yaml", "serve"}, &commands{})
	if err != nil || !cfg.Store.Demo || cfg.Source("config") != "--config" {
		t.Errorf("the flag names the file: %+v, %v", cfg, err)
	}
	if cfg, err = start(t, "", map[string]string{"GATEHOUSE_CONFIG": ""}); err != nil || cfg.File != "" {
		t.Errorf("no file: %q, %v", cfg.File, err)
	}
}

func TestUsageErrors(t *testing.T) {
	for _, test := range []struct {
		name, file string
		env        map[string]string
		args       []string
		want       string
	}{
		{"unknown key", "demo: true\nlistne: x\n", nil, nil, `gatehouse.yaml:2: unknown key "listne"; did you mean "listen"?`},
		{"unknown key, underscore", "max_body: 1\n", nil, nil, `gatehouse.yaml:1: unknown key "max_body"; did you mean "max-body"?`},
		{"key twice", "demo: true\ndemo: false\n", nil, nil, "gatehouse.yaml:2: demo is set twice"},
		{"text for number", "database-max-conns: many\n", nil, nil, "gatehouse.yaml:1: database-max-conns: expected a whole number, found text"},
		{"text for bool", "demo: perhaps\n", nil, nil, "gatehouse.yaml:1: demo: expected true or false, found text"},
		{"bool for text", "data-dir: true\n", nil, nil, "gatehouse.yaml:1: data-dir: expected text, found true or false"},
		{"number for duration", "\nshutdown-timeout: 15\n", nil, nil, "gatehouse.yaml:2: shutdown-timeout: expected text, found a number"},
		{"list for text", "listen: [a, b]\n", nil, nil, "gatehouse.yaml:1: listen: expected text, found a list"},
		{"map for list", "trusted-proxies: {a: b}\n", nil, nil, "gatehouse.yaml:1: trusted-proxies: expected text, found a group"},
		{"number in list", "trusted-proxies: [10]\n", nil, nil, "gatehouse.yaml:1: trusted-proxies: expected a list of texts, item 1 is a number"},
		{"list for size", "max-body: [1]\n", nil, nil, "gatehouse.yaml:1: max-body: expected a size like 8MiB, found a list"},
		{"bad word", "log-level: loud\n", nil, nil, `gatehouse.yaml:1: log-level: "loud" is none of debug,info,warn,error`},
		{"not for the file", "admin-password: x\n", nil, nil, "gatehouse.yaml:1: admin-password can't be set in the file; set GATEHOUSE_ADMIN_PASSWORD"},
		{"file in file", "config: x.yaml\n", nil, nil, "gatehouse.yaml:1: config can't be set in the file"},
		{"list file", "- a\n", nil, nil, "gatehouse.yaml:1: expected lines like"},
		{"two documents", "demo: true\n---\ndemo: true\n", nil, nil, "gatehouse.yaml: more than one YAML document"},
		{"no yaml", "a: b: c\n", nil, nil, "gatehouse.yaml: yaml: "},
		{"all faults at once", "a: 1\ndemo: 2\n", nil, nil, "gatehouse.yaml:2: demo: expected true"},

		{"named file absent", "", nil, []string{"--config=other.yaml"}, "other.yaml: no such file"},
		{"file of variable absent", "", map[string]string{"GATEHOUSE_CONFIG": "third.yaml"}, nil, "third.yaml: no such file"},

		{"bad variable", "", map[string]string{"GATEHOUSE_MAX_BODY": "huge"}, nil, `GATEHOUSE_MAX_BODY: "huge" is not a size`},
		{"bad word in variable", "", map[string]string{"GATEHOUSE_LOG_FORMAT": "xml"}, nil, `GATEHOUSE_LOG_FORMAT: "xml" is none of text,json`},
		{"bad network", "", nil, []string{"--trusted-proxies=10.0.0.0/8,nonsense"}, `--trusted-proxies: "nonsense" is not a network`},
		{"bad port", "", nil, []string{"--listen=localhost:http"}, "--listen: \"localhost:http\": the port must be a number"},
		{"no port", "", nil, []string{"--listen=localhost"}, "--listen: \"localhost\" is not an address"},
		{"bad word in flag", "", nil, []string{"--log-level=loud"}, "--log-level must be one of"},
		{"unknown flag", "", nil, []string{"--nonsense"}, "unknown flag --nonsense"},
		{"password on command line", "", nil, []string{"--admin-password=x"}, "set GATEHOUSE_ADMIN_PASSWORD"},

		{"negative connections", "database-max-conns: -1\n", nil, nil, "gatehouse.yaml:1: database-max-conns must not be negative"},
		{"zero body", "", map[string]string{"GATEHOUSE_MAX_BODY": "0"}, nil, "GATEHOUSE_MAX_BODY: max-body must be more than 0"},
		{"negative timeout", "", nil, []string{"--request-timeout=-1s"}, "--request-timeout: request-timeout must be more than 0s"},
		{"zero shutdown", "", nil, []string{"--shutdown-timeout=0s"}, "--shutdown-timeout: shutdown-timeout must"},
		{"hasty poll", "", nil, []string{"--odoo-poll=10ms"}, "--odoo-poll: odoo-poll must be 1s or more"},
		{"no folder", "data-dir: ''\n", nil, nil, "gatehouse.yaml:1: data-dir must not be empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := start(t, test.file, test.env, test.args...)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v\nwant %s", err, test.want)
			}
			if ExitCode(err) != 2 {
				t.Errorf("exit code %d, want 2", ExitCode(err))
			}
		})
	}
}

// A command's own flags and the config file live beside each other.
func TestCommandFlagsAreNotSettings(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("GATEHOUSE_NAME", "no setting")
	var cli commands
	ctx, cfg, err := Load([]string{"key", "--name", "ci", "--listen=:0"}, &cli)
	if err != nil {
		t.Fatal(err)
	}
	if ctx.Command() != "key" || cli.Key.Name != "ci" || cfg.Server.Listen != ":0" {
		t.Errorf("command %q, %+v, %+v", ctx.Command(), cli, cfg.Server)
	}
	if _, _, err := Load([]string{"key"}, &commands{}); ExitCode(err) != 2 {
		t.Errorf("a missing flag of a command: %v", err)
	}
}

func TestRunGetsTheConfig(t *testing.T) {
	t.Chdir(t.TempDir())
	var cli struct {
		Show showCommand `cmd:""`
	}
	ctx, _, err := Load([]string{"show", "--demo"}, &cli)
	if err != nil {
		t.Fatal(err)
	}
	if err := ctx.Run(); !errors.Is(err, errShown) || ExitCode(err) != 1 {
		t.Errorf("Run: %v", err)
	}
}

var errShown = errors.New("the demo was asked for")

type showCommand struct{}

func (showCommand) Run(cfg *Config) error {
	if cfg.Store.Demo {
		return errShown
	}
	return nil
}

func TestHelp(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(filepath.Join(".", defaultFile), []byte("nonsense: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	_, _, err := Load([]string{"--help"}, &commands{}, kong.Writers(&out, io.Discard))
	if !errors.Is(err, ErrHelp) || ExitCode(err) != 0 {
		t.Fatalf("got %v, want ErrHelp", err)
	}
	for _, want := range []string{"serve", "(default 8MiB, ", "--listen=HOST:PORT", "$GATEHOUSE_LISTEN", "Store\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("help lacks %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "admin-password") {
		t.Error("help offers a flag that is refused")
	}
}
