package httpapi

import (
	"testing"

	"gatehouse/internal/domain"
	"gatehouse/internal/fault"
)

func TestHaving(t *testing.T) {
	for text, want := range map[string]string{
		`[["__count",">",1]]`:                                     `[('__count', '>', 1)]`,
		`[["a:sum",">",1.5],["b:max","=",null]]`:                  `[('a:sum', '>', 1.5), ('b:max', '=', None)]`,
		`["|",["a:sum",">",1],"!",["__count","=",2]]`:             `['|', ('a:sum', '>', 1), '!', ('__count', '=', 2)]`,
		`["&",["a:sum",">",1],["__count","=",2],["c:min","<",3]]`: `[('a:sum', '>', 1), ('__count', '=', 2), ('c:min', '<', 3)]`,
	} {
		node, err := having(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := domain.String(domain.Normal(node)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func FuzzHaving(f *testing.F) {
	for _, seed := range []string{`[["__count",">",1]]`, `["|",["a:sum",">",1],"!",["b","=",2]]`, `[]`, `[["a",1,2]]`, `["&"]`, `{`, `[[["a"]]]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		node, err := having(text)
		if err != nil && !fault.Is(err, fault.BadRequest) || err == nil && node == nil {
			t.Fatalf("%q: %v %v", text, node, err)
		}
	})
}

func FuzzPreferred(f *testing.F) {
	for _, seed := range []string{"text/csv", "text/csv;q=0.5,*/*", ";q=", "application/x-ndjson;q=1e300", ",,;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		if form := preferred(accept); form > asCSV {
			t.Fatalf("%q: %d", accept, form)
		}
	})
}
