//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// documents writes the API documents of strangers and the administrator, in
// both versions, into a folder.
func (v *server) documents(t *testing.T) []string {
	t.Helper()
	key := strings.TrimSpace(v.cli(t, "key", "create", "--user", "admin", "--name", "linter", "--scopes", "admin"))
	dir := t.TempDir()
	var names []string
	for _, version := range []string{"3.1", "3.0"} {
		for who, key := range map[string]string{"stranger": "", "admin": key} {
			name := filepath.Join(dir, who+"-"+version+".json")
			write(t, name, v.document(t, version, key))
			names = append(names, name)
		}
	}
	return names
}

func (v *server) document(t *testing.T, version, key string) string {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, v.url+"/api/openapi.json?version="+version, nil)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("X-API-Key", key)
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	body, err := io.ReadAll(w.Body)
	if err != nil || w.StatusCode != http.StatusOK {
		t.Fatalf("the document: %d %v %s", w.StatusCode, err, body)
	}
	return string(body)
}

// inNPM runs a program of e2e/npm.
func inNPM(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = "npm", append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Two linters find nothing in the documents, not even to warn of.
func TestDocumentsForLinters(t *testing.T) {
	installNode(t)
	v := newSiteFor(t, "sqlite").serve(t)
	names := v.documents(t)
	quiet := []string{"REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true"}
	t.Run("redocly", func(t *testing.T) {
		t.Parallel() // a linter keeps one processor busy for long
		inNPM(t, quiet, "npx", append([]string{"redocly", "lint", "--config", "redocly.yaml"}, names...)...)
	})
	for _, name := range names {
		t.Run("spectral "+filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			inNPM(t, nil, "npx", "spectral", "lint", "--ruleset", "spectral.yaml", "--fail-severity=warn", name)
		})
	}
	// The command line prints what the server answers.
	printed := v.cli(t, "openapi", "--spec", "3.0")
	if !strings.Contains(printed, `"openapi": "3.0.3"`) || !strings.Contains(printed, `"/api/v1/{model}": {`) {
		t.Errorf("gatehouse openapi: %.300s", printed)
	}
}

// Clients that others' generators make of the document of a key compile, and
// make, read, change and delete records.
func TestGeneratedClients(t *testing.T) {
	v := newSiteFor(t, "sqlite").serve(t)
	key := strings.TrimSpace(v.cli(t, "key", "create", "--user", "admin", "--name", "generated",
		"--scopes", "res.partner:read,res.partner:write,res.partner:delete,customers_read,customers_write"))
	env := []string{"GATEHOUSE=" + v.url, "KEY=" + key}
	t.Run("Go", func(t *testing.T) {
		dir := t.TempDir()
		for _, name := range []string{"main.go", "go.mod", "go.sum", "oapi-codegen.yaml"} {
			write(t, filepath.Join(dir, name), readFile(t, filepath.Join("goclient", name)))
		}
		write(t, filepath.Join(dir, "openapi.json"), v.document(t, "3.0", key))
		tools, err := filepath.Abs("../tools/go.mod")
		if err != nil {
			t.Fatal(err)
		}
		generator := filepath.Join(dir, "oapi-codegen")
		build := exec.Command("go", "build", "-modfile="+tools, "-o", generator, "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen")
		build.Dir = ".."
		for _, cmd := range []*exec.Cmd{
			build,
			exec.Command(generator, "-config", "oapi-codegen.yaml", "openapi.json"),
			exec.Command("go", "run", "."),
		} {
			if cmd.Dir == "" {
				cmd.Dir = dir
			}
			cmd.Env = append(os.Environ(), env...)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
			}
		}
	})
	t.Run("TypeScript", func(t *testing.T) {
		installNode(t)
		if err := os.MkdirAll("npm/gen", 0o750); err != nil {
			t.Fatal(err)
		}
		write(t, "npm/gen/openapi.json", v.document(t, "3.1", key))
		inNPM(t, nil, "npx", "openapi-typescript", "gen/openapi.json", "-o", "gen/api.ts")
		inNPM(t, nil, "npx", "tsc", "-p", ".")
		if out := inNPM(t, env, "node", "gen/out/client.js"); !strings.Contains(out, "ok") {
			t.Errorf("the client says %s", out)
		}
	})
}

// The page of the documentation in a browser: nothing goes wrong in it, nothing
// is asked of another host, and requests go out with each kind of credential.
// GATEHOUSE_E2E_SHOTS names a folder for pictures of it.
func TestDocsInABrowser(t *testing.T) {
	installNode(t)
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	v := newSiteFor(t, "sqlite", "GATEHOUSE_ADMIN_PASSWORD=admin").serve(t)
	key := strings.TrimSpace(v.cli(t, "key", "create", "--user", "admin", "--name", "browser", "--scopes", "admin"))
	client := v.createClient(t, "--scopes", "read")
	out := inNPM(t, []string{
		"CHROMIUM=" + chromium, "GATEHOUSE=" + v.url, "TOKEN=" + v.anonymous(t).login("admin", "admin").text("data.access_token"), "KEY=" + key,
		"CLIENT_ID=" + client.ID, "CLIENT_SECRET=" + client.Secret, "SHOTS=" + os.Getenv("GATEHOUSE_E2E_SHOTS"),
	}, "node", "docs.mjs")
	if !strings.Contains(out, "ok") {
		t.Errorf("the browser says %s", out)
	}
}
