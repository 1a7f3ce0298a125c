package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestDocumentIsUpToDate(t *testing.T) {
	got, err := os.ReadFile("../../docs/configuration.md")
	if err != nil || string(got) != Markdown() {
		t.Fatalf("docs/configuration.md is not what the settings say (%v); run: make gen", err)
	}
}

// The example in the document must be a file that starts.
func TestDocumentExampleLoads(t *testing.T) {
	_, rest, _ := strings.Cut(Markdown(), "```yaml\n")
	example, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("no example")
	}
	cfg, err := start(t, example, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Server.MaxBody != 16<<20 {
		t.Errorf("example gives %+v", cfg.Server)
	}
}

// Names follow from one another: --max-body, GATEHOUSE_MAX_BODY, max-body.
func TestTags(t *testing.T) {
	flags := Default().flags()
	if len(flags) < 13 {
		t.Fatalf("only %d settings", len(flags))
	}
	for _, flag := range flags {
		want := "GATEHOUSE_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		if envName(flag) != want {
			t.Errorf("%s has the variable %q, want %s", flag.Name, envName(flag), want)
		}
		if !strings.HasSuffix(flag.Help, ".") {
			t.Errorf("the help of %s is no sentence", flag.Name)
		}
		if flag.Name != "config" && flag.Group == nil {
			t.Errorf("%s is in no group, so the document lacks it", flag.Name)
		}
		_, masked := reflect.Zero(flag.Target.Type()).Interface().(secret)
		sounds := strings.Contains(flag.Name, "password") || strings.Contains(flag.Name, "secret") ||
			strings.HasSuffix(flag.Name, "-key") || strings.HasSuffix(flag.Name, "database-url")
		if sounds && !masked {
			t.Errorf("%s sounds secret and is of the plain type %s", flag.Name, flag.Target.Type())
		}
	}
}

func TestSecretsStaySecret(t *testing.T) {
	const password = "hunter2"
	cfg, err := start(t, "", map[string]string{
		"GATEHOUSE_ADMIN_PASSWORD": password,
		"GATEHOUSE_DATABASE_URL":   "postgres://odoo:" + password + "@db:5432/gate?sslpassword=" + password,
	})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Store.AdminPassword.Reveal() != password {
		t.Error("the secret itself is lost")
	}
	asJSON, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("start", "store", cfg.Store, "url", cfg.Store.DatabaseURL)
	for _, shown := range []string{
		cfg.Redacted(), string(asJSON), logged.String(), Markdown(),
		fmt.Sprintf("%v %+v %#v", *cfg, *cfg, *cfg),
		fmt.Sprintf("%s %q %x", cfg.Store.AdminPassword, cfg.Store.AdminPassword, cfg.Store.AdminPassword),
		fmt.Sprintf("%s %q %x", cfg.Store.DatabaseURL, cfg.Store.DatabaseURL, cfg.Store.DatabaseURL),
	} {
		if strings.Contains(shown, password) || strings.Contains(shown, fmt.Sprintf("%x", password)) {
			t.Errorf("the password shows in:\n%s", shown)
		}
	}
	if want := "postgres://odoo:********@db:5432/gate  (GATEHOUSE_DATABASE_URL)"; !strings.Contains(cfg.Redacted(), want) {
		t.Errorf("Redacted lacks %q:\n%s", want, cfg.Redacted())
	}
}

func TestSecretsStaySecretInErrors(t *testing.T) {
	for _, url := range []string{"postgres://u:hunter2@db:port/x", "mysql://u:hunter2@db/x", "host=db password=hunter2", "postgres:hunter2"} {
		for name, load := range map[string]func() error{
			"variable": func() error {
				_, err := start(t, "", map[string]string{"GATEHOUSE_DATABASE_URL": url})
				return err
			},
			"flag": func() error {
				_, err := start(t, "", map[string]string{"GATEHOUSE_DATABASE_URL": ""}, "--database-url", url)
				return err
			},
			"file": func() error {
				_, err := start(t, fmt.Sprintf("database-url: %q\n", url), map[string]string{"GATEHOUSE_DATABASE_URL": ""})
				return err
			},
		} {
			err := load()
			if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "not a URL like") {
				t.Errorf("%s %s: %v", name, url, err)
			}
		}
	}
}

func TestDefault(t *testing.T) {
	t.Setenv("GATEHOUSE_LISTEN", "127.0.0.1:1")
	cfg := Default()
	if cfg.Server.Listen != "127.0.0.1:8069" || cfg.Store.DataDir != "./gatehouse_data" || cfg.Log.SlogLevel() != slog.LevelInfo {
		t.Errorf("%+v", cfg)
	}
}
