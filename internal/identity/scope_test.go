package identity

import (
	"slices"
	"strings"
	"testing"

	"gatehouse/internal/fault"
)

func TestParseScopes(t *testing.T) {
	for _, test := range []struct{ text, want, wrong string }{
		{"read", "read", ""},
		{"write,read", "read write", ""},
		{" read\twrite , delete\n", "delete read write", ""},
		{"read read,read", "read", ""},
		{"orders_read x_things_write", "orders_read x_things_write", ""},
		{"res.partner:read,sale.*:write,*:delete", "*:delete res.partner:read sale.*:write", ""},
		{"x_thing:read", "x_thing:read", ""},
		{"", "", "At least one scope"},
		{" ,, ", "", "At least one scope"},
		{"reed", "", "Unknown scope: reed; allowed are read, write"},
		{"Read", "", "Unknown scope: Read"},
		{"read orders_reed", "", "Unknown scope: orders_reed"},
		{"orders_delete", "", "Unknown scope: orders_delete"},
		{"orders_admin", "", "Unknown scope"},
		{"_read", "", "Unknown scope"},
		{"res.partner:admin", "", "Unknown scope"},
		{"res.partner:", "", "Unknown scope"},
		{":read", "", "Unknown scope"},
		{"res.*partner:read", "", "Unknown scope"},
		{"sale*:read", "", "Unknown scope"},
		{"res..partner:read", "", "Unknown scope"},
		{"**:read", "", "Unknown scope"},
		{"res.partner:read:write", "", "Unknown scope"},
		{"rés:read", "", "Unknown scope"},
		{strings.Repeat("a", 70) + "_read", "", "Unknown scope"},
		{manyScopes(maxScopes + 1), "", "More than 100"},
	} {
		s, err := ParseScopes(test.text)
		if test.wrong != "" {
			if !fault.Is(err, fault.BadRequest) || !strings.Contains(fault.From(err).Message, test.wrong) {
				t.Errorf("%q: %v, want %q", test.text, err, test.wrong)
			}
			continue
		}
		if err != nil || s.String() != test.want {
			t.Errorf("%q: %q (%v), want %q", test.text, s, err, test.want)
		}
	}
}

func manyScopes(n int) string {
	var words []string
	for i := range n {
		words = append(words, "r"+strings.Repeat("x", i%60)+string(rune('a'+i/60))+"_read")
	}
	return strings.Join(words, ",")
}

func TestScopesAllow(t *testing.T) {
	universal := func(a Action) Need { return Need{Action: a, Model: "sale.order"} }
	curated := func(a Action) Need { return Need{Action: a, Model: "sale.order", Resource: "orders"} }
	for _, test := range []struct {
		scopes string
		need   Need
		want   bool
	}{
		{"read", universal(Read), true},
		{"read", curated(Read), true},
		{"read", Need{Action: Read}, true},
		{"read", universal(Write), false},
		{"read", universal(Delete), false},
		{"write", universal(Read), false},
		{"write", universal(Write), true},
		{"write", universal(Delete), false},
		{"write", curated(Delete), false},
		{"delete", curated(Delete), true},
		{"read,write,delete", Need{Action: Admin}, false},
		{"admin", Need{Action: Admin}, true},
		{"admin", curated(Delete), true},

		{"orders_read", curated(Read), true},
		{"orders_read", universal(Read), false},
		{"orders_read", curated(Write), false},
		{"orders_write", curated(Read), false},
		{"orders_write", curated(Write), true},
		{"orders_write", curated(Delete), true},
		{"orders_write", universal(Write), false},
		{"products_write", curated(Write), false},
		{"x_things_read", Need{Action: Read, Model: "x_thing", Resource: "x_things"}, true},
		{"orders_read", Need{Action: Admin, Resource: "orders"}, false},

		{"sale.order:read", universal(Read), true},
		{"sale.order:read", curated(Read), true},
		{"sale.order:read", universal(Write), false},
		{"sale.order:write", universal(Write), true},
		{"sale.order:write", universal(Delete), false},
		{"sale.order:delete", universal(Delete), true},
		{"sale.order:read", Need{Action: Read, Model: "sale.order.line"}, false},
		{"sale.*:read", Need{Action: Read, Model: "sale.order.line"}, true},
		{"sale.*:read", Need{Action: Read, Model: "sale"}, false},
		{"sale.*:read", Need{Action: Read, Model: "sales.thing"}, false},
		{"*:read", universal(Read), true},
		{"*:read", Need{Action: Read}, false},
		{"*:write,*:read,*:delete", Need{Action: Admin}, false},
		{"res.partner:read,sale.*:write", universal(Write), true},
		{"write", Need{Action: Admin}, false},
		{"delete", universal(Read), false},
		{"delete", universal(Write), false},
		{"products_read", curated(Read), false},
		{"customers_write", Need{Action: Delete, Model: "res.partner", Resource: "customers"}, true},
		{"customers_write", Need{Action: Delete, Model: "res.partner"}, false},
		{"sale.*:write", curated(Delete), false},
		{"sale.*:write", universal(Read), false},
		{"gateway.*:write", Need{Action: Admin, Model: "gateway.key"}, false},
		{"read", Need{}, false},
		{"read", Need{Action: "shout"}, false},
	} {
		s, err := ParseScopes(test.scopes)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Allows(test.need); got != test.want {
			t.Errorf("%s for %+v: %v, want %v", test.scopes, test.need, got, test.want)
		}
	}
	if (Scopes{}).Allows(universal(Read)) {
		t.Error("no scopes allow something")
	}
	if !AllScopes().Allows(Need{Action: Admin}) {
		t.Error("all scopes refuse something")
	}
}

func TestNeedString(t *testing.T) {
	for need, want := range map[Need]string{
		{Action: Write, Model: "sale.order"}:                      "write",
		{Action: Read}:                                            "read",
		{Action: Read, Model: "sale.order", Resource: "orders"}:   "orders_read",
		{Action: Write, Model: "sale.order", Resource: "orders"}:  "orders_write",
		{Action: Delete, Model: "sale.order", Resource: "orders"}: "orders_write",
		{Action: Admin, Resource: "orders"}:                       "admin",
	} {
		if got := need.String(); got != want {
			t.Errorf("%+v: %s, want %s", need, got, want)
		}
		if s, err := ParseScopes(want); err != nil || !s.Allows(need) {
			t.Errorf("%+v names %s, which does not do (%v)", need, want, err)
		}
	}
}

func TestScopesResources(t *testing.T) {
	s, err := ParseScopes("read,orders_write,orders_read,a_b_read,sale.*:read")
	if got := s.Resources(); err != nil || !slices.Equal(got, []string{"a_b", "orders"}) {
		t.Errorf("%v, %v", got, err)
	}
}

func FuzzParseScopes(f *testing.F) {
	for _, seed := range []string{"read,write", "orders_read sale.*:write", "*:delete", "", "a_b_read,a:read", "\x00_read"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseScopes(text)
		if err != nil {
			if !fault.Is(err, fault.BadRequest) {
				t.Fatalf("not a bad request: %v", err)
			}
			return
		}
		again, err := ParseScopes(s.String())
		if err != nil || again.String() != s.String() {
			t.Fatalf("%q reads as %q, which reads as %q (%v)", text, s, again, err)
		}
		if s.Allows(Need{Action: Admin}) != slices.Contains(strings.Fields(s.String()), "admin") {
			t.Fatalf("%q allows admin or does not", text)
		}
	})
}

func BenchmarkAllows(b *testing.B) {
	s, err := ParseScopes("products_read,products_write,sale.*:write,res.partner:read")
	if err != nil {
		b.Fatal(err)
	}
	need := Need{Action: Read, Model: "res.partner"}
	b.ReportAllocs()
	for b.Loop() {
		if !s.Allows(need) {
			b.Fatal("refused")
		}
	}
}

func TestScopesCut(t *testing.T) {
	for _, test := range []struct{ has, asked, want string }{
		{"read", "read", "read"},
		{"read,write", "write read", "read write"},
		{"read", "read write admin", "read"},
		{"read", "admin", ""},
		{"read", "", ""},
		{"read", "bogus READ reads x:read: *:", ""},
		{"admin", "admin", "admin"},
		{"admin", "read orders_write sale.*:delete bogus", "orders_write read sale.*:delete"},
		{"read", "orders_read res.partner:read *:read orders_write res.partner:write", "*:read orders_read res.partner:read"},
		{"write", "orders_write res.partner:write res.partner:delete", "res.partner:write"}, // orders_write would delete too
		{"write,delete", "orders_write res.partner:delete", "orders_write res.partner:delete"},
		{"orders_read", "read orders_read orders_write products_read", "orders_read"},
		{"orders_write", "orders_read orders_write", "orders_write"},
		{"sale.*:read", "sale.order:read sale.order.*:read sale.*:read *:read sales.x:read sale.order:write", "sale.*:read sale.order.*:read sale.order:read"},
		{"sale.order:read", "sale.order:read sale.*:read sale.order.line:read", "sale.order:read"},
		{"*:read", "read sale.*:read res.partner:read", "res.partner:read sale.*:read"},
		{"sale.*:read", "orders_read", ""}, // which model a resource has is not known here
	} {
		has, err := ParseScopes(test.has)
		if err != nil {
			t.Fatal(err)
		}
		got := has.Cut(test.asked)
		if got.String() != test.want || got.IsZero() != (test.want == "") {
			t.Errorf("%s of %s: %q, want %q", test.asked, test.has, got, test.want)
		}
	}
	if !(Scopes{}).Cut("read").IsZero() {
		t.Error("nothing gave something")
	}
}

// What is cut never allows more than what it was cut from.
func FuzzScopesCut(f *testing.F) {
	f.Add("read,orders_write", "read orders_write admin")
	f.Add("sale.*:read *:write", "sale.order:read res.partner:write read")
	f.Add("admin", "delete products_read")
	f.Fuzz(func(t *testing.T, has, asked string) {
		whole, err := ParseScopes(has)
		if err != nil {
			return
		}
		cut := whole.Cut(asked)
		for _, action := range []Action{Read, Write, Delete, Admin} {
			for _, resource := range []string{"", "orders", "products"} {
				for _, model := range []string{"", "sale.order", "res.partner", "sale"} {
					need := Need{Action: action, Model: model, Resource: resource}
					if cut.Allows(need) && !whole.Allows(need) {
						t.Fatalf("%q of %q allows %+v", asked, has, need)
					}
				}
			}
		}
		if again := whole.Cut(cut.String()); again.String() != cut.String() {
			t.Fatalf("%q is cut to %q", cut, again)
		}
	})
}
