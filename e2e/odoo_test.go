//go:build e2e

package e2e

import (
	"net/url"
	"os"
	"os/exec"
	"testing"
)

// TestOdooClients runs clients that others wrote for Odoo, unchanged: a server
// is told apart from an Odoo only by its address.
func TestOdooClients(t *testing.T) {
	for _, store := range stores {
		t.Run(store, func(t *testing.T) {
			s := newSiteFor(t, store, "GATEHOUSE_ADMIN_PASSWORD=admin", "GATEHOUSE_DEMO=true")
			s.cli(t, "setting", "set", "global_rate_limit", "0")
			odooClients(t, s.serve(t))
		})
	}
}

// TestOdooClientsThroughTheGate runs them through a gate in front of an Odoo,
// for which another server stands in.
func TestOdooClientsThroughTheGate(t *testing.T) {
	odoo := newSiteFor(t, "sqlite", "GATEHOUSE_ADMIN_PASSWORD=admin", "GATEHOUSE_DEMO=true")
	odoo.cli(t, "setting", "set", "global_rate_limit", "0")
	behind := odoo.serve(t)
	s := newSiteFor(t, "sqlite", "GATEHOUSE_ADMIN_PASSWORD=the gate's own", "GATEHOUSE_ODOO_URL="+behind.url, "GATEHOUSE_ODOO_DB=gatehouse")
	s.cli(t, "setting", "set", "global_rate_limit", "0")
	odooClients(t, s.serve(t))
}

func odooClients(t *testing.T, v *server) {
	t.Helper()
	where, err := url.Parse(v.url)
	if err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "GATEHOUSE="+v.url, "GATEHOUSE_HOST="+where.Hostname(), "GATEHOUSE_PORT="+where.Port(),
		"LOGIN=admin", "PASSWORD=admin", "OTHER=demo-user", "OTHER_PASSWORD=demo-user")
	t.Run("odoo-await", func(t *testing.T) { // XML-RPC, of npm
		installNode(t)
		node := exec.Command("node", "odoo.mjs")
		node.Dir, node.Env = "npm", env
		if out, err := node.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	t.Run("odoorpc", func(t *testing.T) { // JSON-RPC and the web session, of Debian
		const python = "/usr/bin/python3"
		if err := exec.Command(python, "-c", "import odoorpc").Run(); err != nil {
			t.Skip("python3-odoorpc is not installed")
		}
		client := exec.Command(python, "python/odoo_client.py")
		client.Env = env
		if out, err := client.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
}
