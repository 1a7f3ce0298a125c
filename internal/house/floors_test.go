package house

import (
	"slices"
	"strings"
	"testing"
)

// floors says how high each package lives. A package imports only from lower
// floors, so the order of this table is an order in which to read the code.
// Where two neighbours of a floor of the design need one another, the one that
// is imported lives half a step lower.
var floors = map[string]float64{
	"internal/fault":   0,
	"internal/clock":   0,
	"web":              0,
	"internal/nearest": 0,
	"internal/redact":  0,
	"internal/facts":   0,

	"internal/trace":               0.5,
	"internal/config":              1,
	"internal/config/gen":          1.1,
	"internal/sqldb":               1,
	"internal/sqldb/sqltest":       1.1,
	"internal/iprange":             0.5,
	"internal/jwk":                 1,
	"internal/domain":              1,
	"internal/domain/domaintest":   1.1,
	"internal/schema":              1.1,
	"internal/audit":               1.15,
	"internal/vault":               1.15,
	"internal/setting":             1.2,
	"internal/backend":             1.2,
	"internal/backend/backendtest": 1.3,

	"internal/access":   2,
	"internal/identity": 2,
	"internal/throttle": 2,
	// The JSON of records: webhooks write it as the API does.
	"internal/httpapi/wire": 2,
	"internal/job":          2,
	"internal/idempotency":  2,
	"internal/traffic":      2,

	"internal/odoowire": 2.5,

	"internal/record":   3,
	"internal/oauth":    3,
	"internal/webhook":  3.5,
	"internal/odoorpc":  2.6,
	"internal/odoouser": 3.1,
	"internal/odoo":     3.2,
	"internal/odoopoll": 3.6,

	"internal/business":              4,
	"internal/business/businesstest": 4.1,
	"internal/gateway":               4,
	"internal/direct":                4,

	"internal/openapi":  5,
	"internal/odoocall": 5.5,
	"internal/httpapi":  6,
	"internal/odooapi":  6.5,
	// The documents of the API, made of its routes.
	"internal/apidoc":            6.5,
	"internal/apidoc/apidoctest": 6.6,
	"internal/app":               7,
	"cmd/gatehouse":              8,
	"e2e":                        9,
	"bench":                      9,
	"conformance":                9,

	"internal/house": 0,
}

// exceptions are imports that the floors forbid and that stay nevertheless:
// "importer → imported", and why.
var exceptions = map[string]string{}

// maxImports is the number of our packages from which one becomes a corridor.
// app is the corridor: it wires the others.
const maxImports = 12

func TestFloors(t *testing.T) {
	all := rooms(t)
	if len(all) < 4 {
		t.Fatalf("only %d packages found", len(all))
	}
	for _, fault := range floorFaults(all, floors, exceptions) {
		t.Error(fault)
	}
	for _, r := range all {
		if !r.documented {
			t.Errorf("%s has no package comment: say in a doc comment above the package clause what it is for", r.name)
		}
	}
}

// floorFaults lists what is wrong with the imports of all packages.
func floorFaults(all []*room, floors map[string]float64, exceptions map[string]string) []string {
	var faults []string
	used := map[string]bool{}
	for _, r := range all {
		floor, known := floors[r.name]
		if !known {
			faults = append(faults, r.name+" has no floor: add it to the table in internal/house/floors_test.go and to docs/ARCHITECTURE.md")
			continue
		}
		if len(r.imports) > maxImports && r.name != "internal/app" {
			faults = append(faults, r.name+" imports more than 12 of our packages: it is a corridor, not a room")
		}
		for _, imported := range r.imports {
			arrow := r.name + " → " + imported
			used[arrow] = true
			if testSupport(imported) && !testSupport(r.name) {
				faults = append(faults, arrow+": test support is for tests only")
			}
			if below, known := floors[imported]; known && below >= floor && exceptions[arrow] == "" {
				faults = append(faults, arrow+": a package imports from lower floors only")
			}
		}
	}
	for arrow := range exceptions {
		if !used[arrow] {
			faults = append(faults, arrow+": this exception is not used; delete it")
		}
	}
	slices.Sort(faults)
	return faults
}

// testSupport says whether a package helps tests, as sqltest does.
func testSupport(name string) bool {
	return strings.HasSuffix(name, "test") && strings.Count(name, "/") > 1
}

// The rules must bite.
func TestFloorFaults(t *testing.T) {
	floors := map[string]float64{"internal/low": 1, "internal/peer": 1, "internal/high": 2, "internal/low/lowtest": 1.1}
	many := make([]string, maxImports+1)
	for i := range many {
		many[i] = "internal/low"
	}
	for _, test := range []struct {
		name       string
		room       room
		exceptions map[string]string
		want       string // "" is none
	}{
		{"down", room{name: "internal/high", imports: []string{"internal/low"}}, nil, ""},
		{"up", room{name: "internal/low", imports: []string{"internal/high"}}, nil, "lower floors only"},
		{"across", room{name: "internal/low", imports: []string{"internal/peer"}}, nil, "lower floors only"},
		{"excepted", room{name: "internal/low", imports: []string{"internal/peer"}}, map[string]string{"internal/low → internal/peer": "why"}, ""},
		{"idle exception", room{name: "internal/high"}, map[string]string{"internal/high → internal/low": "why"}, "not used"},
		{"unknown", room{name: "internal/new"}, nil, "has no floor"},
		{"test support", room{name: "internal/high", imports: []string{"internal/low/lowtest"}}, nil, "for tests only"},
		{"corridor", room{name: "internal/high", imports: many}, nil, "corridor"},
	} {
		got := strings.Join(floorFaults([]*room{&test.room}, floors, test.exceptions), "; ")
		if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
