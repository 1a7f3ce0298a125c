//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The commands of the documents are run as they stand, in the order in which
// a newcomer meets them, against one server on fresh demo data. Only the
// address is replaced. `go run ./cmd/gatehouse` and `gatehouse` are the built
// binary, and curl notes the status of every answer.
//
// A curl must succeed, unless a comment behind it names the status of an
// error: `curl … # 403: needs orders_read`.
func TestDocuments(t *testing.T) {
	s := newSiteFor(t, "sqlite")
	statuses := shims(t, s)
	write(t, filepath.Join(s.dir, "password.txt"), "a long passphrase\n")

	readme := blocks(t, "README.md")
	start, _, _ := strings.Cut(firstLine(readme[0], "go run ./cmd/gatehouse serve"), "#")
	v, err := s.startWith(bash(s, "exec "+start))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = v.stop() })

	for _, document := range []struct {
		name   string
		blocks []string
	}{
		{"README.md", readme[1:]},
		{"docs/api.md", blocks(t, "docs/api.md")},
		{"docs/operations.md", blocks(t, "docs/operations.md")},
		{"docs/odoo-protocols.md", blocks(t, "docs/odoo-protocols.md")},
	} {
		t.Run(document.name, func(t *testing.T) {
			script := ourAddress(strings.Join(document.blocks, "\n"), v.url)
			curls := curlsOf(script)
			write(t, statuses, "")
			cmd := bash(s, "set -euo pipefail\n"+script)
			cmd.Dir, cmd.Env = s.dir, s.env
			var stderr strings.Builder
			cmd.Stderr = &stderr
			stdout, err := cmd.Output()
			if err != nil {
				t.Errorf("%v\n%s%s", err, stdout, &stderr)
			}
			if strings.Contains(string(stdout), `"data":[]`) {
				t.Errorf("a list in it is empty:\n%s", stdout)
			}
			checkStatuses(t, curls, strings.Fields(readFile(t, statuses)))
		})
	}
}

// checkStatuses compares what every curl of a script should answer to what it
// did answer.
func checkStatuses(t *testing.T, curls []curl, got []string) {
	t.Helper()
	for i, c := range curls {
		switch {
		case i >= len(got):
			t.Errorf("was not run: %s", c.text)
		case c.want == 0 && got[i][0] != '2', c.want != 0 && got[i] != strconv.Itoa(c.want):
			t.Errorf("answered %s: %s", got[i], c.text)
		}
	}
	if len(got) != len(curls) {
		t.Errorf("%d of %d curls were run", len(got), len(curls))
	}
}

// curl is a command of a document; want is its status, 0 for any success.
type curl struct {
	text string
	want int
}

var (
	curlStart = regexp.MustCompile(`(?m)(?:^|\$\()curl `)
	curlError = regexp.MustCompile(`(?m)# (\d{3})\b`)
)

func curlsOf(script string) []curl {
	starts := curlStart.FindAllStringIndex(script, -1)
	var all []curl
	for i, start := range starts {
		end := len(script)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		c := curl{text: script[start[0]:end]}
		if found := curlError.FindStringSubmatch(c.text); found != nil {
			c.want, _ = strconv.Atoi(found[1])
		}
		all = append(all, c)
	}
	return all
}

// ourAddress replaces the address of the documents, and leaves out the start
// of a server that runs already.
func ourAddress(script, url string) string {
	script = regexp.MustCompile(`(?m)^gatehouse serve.*$`).ReplaceAllString(script, "")
	return strings.ReplaceAll(script, "http://127.0.0.1:8069", url)
}

// shims puts our own go, gatehouse and curl in front of the site's PATH and
// gives the file in which curl notes the status of its answers.
func shims(t *testing.T, s *site) (statuses string) {
	t.Helper()
	found, err := exec.LookPath("curl")
	if err != nil {
		t.Fatal("curl is needed to run the commands of the documents")
	}
	dir := t.TempDir()
	statuses = filepath.Join(dir, "statuses")
	for name, script := range map[string]string{
		"gatehouse": fmt.Sprintf("exec %q \"$@\"\n", binary),
		"go":        fmt.Sprintf("[[ \"$1 $2\" == 'run ./cmd/gatehouse' ]] || exit 64\nshift 2\nexec %q \"$@\"\n", binary),
		"curl":      fmt.Sprintf("exec %q -sS -w '%%{stderr}%%{http_code}\\n' \"$@\" 2>>%q\n", found, statuses),
	} {
		write(t, filepath.Join(dir, name), "#!/usr/bin/env bash\n"+script)
		if err := os.Chmod(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s.env = append(s.env, "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return statuses
}

func bash(s *site, script string) *exec.Cmd {
	cmd := exec.Command("bash", "-c", script)
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd
}

var shBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```")

// blocks are the sh blocks of a document.
func blocks(t *testing.T, name string) []string {
	t.Helper()
	var all []string
	for _, found := range shBlock.FindAllStringSubmatch(readFile(t, filepath.Join("..", name)), -1) {
		all = append(all, found[1])
	}
	if len(all) == 0 {
		t.Fatalf("%s has no sh block", name)
	}
	return all
}

func firstLine(text, prefix string) string {
	lines := strings.Split(text, "\n")
	i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, prefix) })
	return lines[max(i, 0)]
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

var markdownLink = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)

// Links between the documents lead somewhere.
func TestLinks(t *testing.T) {
	names, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	top, err := filepath.Glob("../*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, top...) {
		for _, link := range markdownLink.FindAllStringSubmatch(readFile(t, name), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), link[1])); err != nil {
				t.Errorf("%s: %s leads nowhere", name, link[1])
			}
		}
	}
}
