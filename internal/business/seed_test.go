package business

import (
	"testing"
	"time"
)

func TestGeographyIsWhole(t *testing.T) {
	currencies, countries := map[string]bool{}, map[string]bool{}
	for _, r := range facts("currencies.csv") {
		if len(r.text("code")) != 3 || r.float("rounding") <= 0 || r.text("symbol") == "" {
			t.Errorf("currencies.csv:%d: %v", r.line, r.cells)
		}
		currencies[r.text("code")] = true
	}
	for _, r := range facts("countries.csv") {
		if c := r.text("currency"); c != "" && !currencies[c] {
			t.Errorf("countries.csv:%d: no currency %s", r.line, c)
		}
		if countries[r.text("code")] || len(r.text("code")) != 2 {
			t.Errorf("countries.csv:%d: code %q", r.line, r.text("code"))
		}
		countries[r.text("code")] = true
	}
	seen := map[string]bool{}
	for _, r := range facts("states.csv") {
		key := r.text("country") + "/" + r.text("code")
		if !countries[r.text("country")] || seen[key] {
			t.Errorf("states.csv:%d: %s", r.line, key)
		}
		seen[key] = true
	}
	if len(countries) < 249 || len(seen) < 1900 || len(currencies) < 160 {
		t.Errorf("%d countries, %d states, %d currencies", len(countries), len(seen), len(currencies))
	}
}

func TestUnitsAreWhole(t *testing.T) {
	factors := map[string]float64{}
	for _, r := range facts("units.csv") {
		want := r.float("relative_factor")
		if up := r.text("relative_unit"); up != "" {
			if factors[up] == 0 {
				t.Errorf("units.csv:%d: %s comes later or never", r.line, up)
			}
			want *= factors[up]
		}
		got := r.float("factor")
		if got/want < 0.999999 || got/want > 1.000001 {
			t.Errorf("units.csv:%d: factor %v, want %v", r.line, got, want)
		}
		factors[r.text("xmlid")] = got
	}
}

func TestLanguagesAndTimezones(t *testing.T) {
	codes := map[string]bool{}
	for _, r := range facts("languages.csv") {
		if codes[r.text("code")] {
			t.Errorf("languages.csv:%d: %s again", r.line, r.text("code"))
		}
		codes[r.text("code")] = true
	}
	for _, code := range []string{"en_US", "fr_FR", "de_DE"} {
		if !codes[code] {
			t.Errorf("there is no language %s", code)
		}
	}
	for _, name := range []string{"Europe/Brussels", "America/New_York", "Asia/Kolkata", "UTC"} {
		if !timezones()[name] {
			t.Errorf("there is no timezone %s", name)
		}
		if _, err := time.LoadLocation(name); err != nil {
			t.Error(err)
		}
	}
}

func TestNormalEmail(t *testing.T) {
	for in, want := range map[string]string{
		"CO@Ex.Example":                "co@ex.example",
		"Ann Lee <Ann.Lee@Ex.Example>": "ann.lee@ex.example",
		" a@b.example ":                "a@b.example",
		"bad email":                    "",
		"a@b":                          "",
		"@b.example":                   "",
		"a@b@c.example":                "",
		"":                             "",
	} {
		if got := normalEmail(in); got != want {
			t.Errorf("normalEmail(%q) = %q, want %q", in, got, want)
		}
	}
}

// The demo files hang together: no contact without its company, no product
// twice, no salesperson that is not there.
func TestDemoFilesAreWhole(t *testing.T) {
	users := map[string]bool{"admin": true, "": true}
	for _, u := range demoUsers {
		users[u.login] = true
	}
	names, contacts := map[string]bool{}, 0
	for _, r := range facts("demo_partners.csv") {
		if p := r.text("parent"); p != "" {
			contacts++
			if !names[p] {
				t.Errorf("demo_partners.csv:%d: %s comes later or never", r.line, p)
			}
		}
		if !users[r.text("salesperson")] {
			t.Errorf("demo_partners.csv:%d: no user %s", r.line, r.text("salesperson"))
		}
		names[r.text("name")] = true
	}
	if !names[demoPortalContact] || contacts < 40 {
		t.Errorf("%d contacts, portal contact %v", contacts, names[demoPortalContact])
	}
	categories := map[string]bool{}
	for _, r := range facts("demo_categories.csv") {
		categories[r.text("category")] = true
	}
	codes, barcodes := map[string]bool{}, map[string]bool{}
	for _, r := range facts("demo_products.csv") {
		if codes[r.text("code")] || (r.text("barcode") != "" && barcodes[r.text("barcode")]) {
			t.Errorf("demo_products.csv:%d: code or barcode again", r.line)
		}
		codes[r.text("code")], barcodes[r.text("barcode")] = true, true
		if !categories[r.text("category")] {
			t.Errorf("demo_products.csv:%d: no category %s", r.line, r.text("category"))
		}
		if r.float("price") <= r.float("cost") {
			t.Errorf("demo_products.csv:%d: sold at a loss", r.line)
		}
	}
}
