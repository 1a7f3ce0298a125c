//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestPages opens all of Gatehouse's pages in a browser, and clicks through
// them: the frame and the pages of administrators on a server that nobody has
// used, the dashboard on a year of traffic. GATEHOUSE_SHOTS keeps the
// screenshots; GATEHOUSE_TEST_BROWSER=required makes a missing browser a failure.
func TestPages(t *testing.T) {
	needBrowser(t)
	shots := os.Getenv("GATEHOUSE_SHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	for _, test := range []struct {
		scripts []string
		flags   []string
	}{
		{[]string{"shell.mjs", "admin.mjs"}, []string{"--demo", "--webhook-allow-networks", "127.0.0.0/8"}},
		{[]string{"dashboard.mjs"}, []string{"--demo", "--traffic-demo"}},
	} {
		s := newSiteFor(t, "sqlite")
		v := s.serve(t, test.flags...)
		admin := printedAdmin.FindStringSubmatch(v.stdout.String())
		if admin == nil {
			t.Fatal("no password of the administrator was printed")
		}
		key := s.cli(t, "key", "create", "--user", "demo-manager", "--name", "pages", "--scopes", "products_read", "--per-minute", "10")
		for _, script := range test.scripts {
			t.Run(script, func(t *testing.T) {
				node := exec.Command("node", "e2e/"+script)
				node.Dir = "../web"
				node.Env = append(os.Environ(), "GATEHOUSE_URL="+v.url, "GATEHOUSE_LOGIN=admin", "GATEHOUSE_PASSWORD="+admin[1],
					"GATEHOUSE_SHOTS="+shots, "GATEHOUSE_KEY="+strings.TrimSpace(key))
				if out, err := node.CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, out)
				}
			})
		}
	}
}

// needBrowser skips a test where there is no browser, or nothing to drive it,
// unless one is required.
func needBrowser(t *testing.T) {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("GATEHOUSE_TEST_BROWSER") == "required" {
		missing = t.Fatalf
	}
	browser := os.Getenv("CHROMIUM")
	if browser == "" {
		browser = "chromium"
	}
	for _, program := range []string{"node", "npm", browser} {
		if _, err := exec.LookPath(program); err != nil {
			missing("%s is not installed", program)
		}
	}
	if _, err := os.Stat("../web/node_modules/playwright-core"); err != nil {
		install := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		install.Dir = "../web"
		if out, err := install.CombinedOutput(); err != nil {
			missing("npm ci in web: %v: %s", err, out)
		}
	}
}
