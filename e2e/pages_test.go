//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestPages opens all of Gatehouse's pages in a browser. GATEHOUSE_SHOTS keeps
// the screenshots.
func TestPages(t *testing.T) {
	needBrowser(t)
	s := newSiteFor(t, "sqlite")
	v := s.serve(t, "--demo", "--traffic-demo")
	admin := printedAdmin.FindStringSubmatch(v.stdout.String())
	if admin == nil {
		t.Fatal("no password of the administrator was printed")
	}
	shots := os.Getenv("GATEHOUSE_SHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	key := s.cli(t, "key", "create", "--user", "demo-manager", "--name", "shop", "--scopes", "products_read", "--per-minute", "10")
	for _, script := range []string{"shell.mjs", "dashboard.mjs"} {
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

// needBrowser skips a test where there is no browser, or nothing to drive it.
func needBrowser(t *testing.T) {
	t.Helper()
	browser := os.Getenv("CHROMIUM")
	if browser == "" {
		browser = "chromium"
	}
	for _, program := range []string{"node", "npm", browser} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	if _, err := os.Stat("../web/node_modules/playwright-core"); err != nil {
		install := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		install.Dir = "../web"
		if out, err := install.CombinedOutput(); err != nil {
			t.Skipf("npm ci in web: %v: %s", err, out)
		}
	}
}
