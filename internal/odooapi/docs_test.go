package odooapi

import (
	"os"
	"strings"
	"testing"
)

// TestDocumentIsComplete holds docs/odoo-protocols.md to what is answered.
func TestDocumentIsComplete(t *testing.T) {
	text, err := os.ReadFile("../../docs/odoo-protocols.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range (&API{}).Paths() {
		if route := "`" + p.Method + " " + p.Pattern + "`"; p.Method != "" && !strings.Contains(string(text), route) {
			t.Errorf("%s is not described", route)
		}
	}
}
