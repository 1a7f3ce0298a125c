package domain

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpus is where the golden answers of a real Odoo 19 lie, beside the
// repository. Tests that need them are skipped where they are absent.
const corpus = "../../../shared/odoo19"

type readCase struct {
	ID     string
	Status int
	Method string
	Kwargs struct{ Domain json.RawMessage }
	Error  struct{ Message string }
}

// corpusReads gives the read cases that have a domain.
func corpusReads(tb testing.TB) []readCase {
	files, _ := filepath.Glob(corpus + "/reads/*.jsonl")
	var cases []readCase
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			var c readCase
			if err := json.Unmarshal([]byte(line), &c); err != nil {
				tb.Fatalf("%s: %v", file, err)
			}
			if c.Kwargs.Domain != nil {
				cases = append(cases, c)
			}
		}
	}
	return cases
}

// corpusDomains gives some of the domains, for seeds.
func corpusDomains(tb testing.TB) []json.RawMessage {
	var all []json.RawMessage
	for i, c := range corpusReads(tb) {
		if i%10 == 0 {
			all = append(all, c.Kwargs.Domain)
		}
	}
	return all
}

// corpusRules gives the text of every record rule in the database dump.
func corpusRules(tb testing.TB) []string {
	f, err := os.Open(corpus + "/database.sql.gz")
	if err != nil {
		return nil
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	var rules []string
	column := -1
	in := bufio.NewReaderSize(unzipped, 1<<20)
	for {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			return rules
		}
		if err != nil {
			tb.Fatal(err)
		}
		line = strings.TrimSuffix(line, "\n")
		if columns, ok := strings.CutPrefix(line, "COPY public.ir_rule ("); ok {
			columns, _, _ = strings.Cut(columns, ")")
			for i, name := range strings.Split(columns, ", ") {
				if name == "domain_force" {
					column = i
				}
			}
			continue
		}
		if column < 0 {
			continue
		}
		if line == `\.` {
			return rules
		}
		if text := strings.Split(line, "\t")[column]; text != `\N` {
			rules = append(rules, strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\\`, `\`).Replace(text))
		}
	}
}

// TestCorpusReads: what Odoo understands is understood here, and what it calls
// no domain is refused.
func TestCorpusReads(t *testing.T) {
	cases := corpusReads(t)
	if len(cases) == 0 {
		t.Skip("no golden corpus in " + corpus)
	}
	understood, refused := 0, 0
	for _, c := range cases {
		n, err := FromValue(decodeJSON(t, c.Kwargs.Domain), Limits{})
		fromText, errText := Parse(string(c.Kwargs.Domain), Limits{})
		if (err == nil) != (errText == nil) || err == nil && !Equal(n, fromText) {
			t.Errorf("%s %s: as value %s (%v), as text %s (%v)", c.ID, c.Kwargs.Domain, tree(n), err, tree(fromText), errText)
		}
		null := string(c.Kwargs.Domain) == "null" // search_read takes it for no domain
		switch {
		case c.Status != 500 && err != nil && !null:
			t.Errorf("%s %s: Odoo takes it: %v", c.ID, c.Kwargs.Domain, err)
		case c.Status == 500 && err == nil && aboutStructure(c.Error.Message):
			t.Errorf("%s %s: Odoo says %s, we read %s", c.ID, c.Kwargs.Domain, c.Error.Message, tree(n))
		case err == nil:
			understood++
		default:
			refused++
		}
	}
	t.Logf("%d domains understood, %d refused", understood, refused)
	if understood < 1000 || refused < 20 {
		t.Error("the corpus has shrunk")
	}
}

// aboutStructure says whether the message is about the domain itself, and not
// about fields and values, which are not known here.
func aboutStructure(message string) bool {
	for _, part := range []string{"Domain() ", "Invalid operator in condition", "no attribute 'lower'", "unhashable type: 'dict'"} {
		if strings.Contains(message, part) {
			return true
		}
	}
	return false
}

// TestCorpusRules: every record rule of the corpus can be evaluated.
func TestCorpusRules(t *testing.T) {
	rules := corpusRules(t)
	if len(rules) == 0 {
		t.Skip("no golden corpus in " + corpus)
	}
	names := map[string]bool{}
	for _, text := range rules {
		r, err := ParseRule(text, Limits{})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		n, err := r.Eval(func(name string) (any, error) {
			names[name] = true
			if strings.HasSuffix(name, "ids") {
				return []int64{1, 2}, nil
			}
			return int64(7), nil
		})
		if err != nil || !isNormal(n) {
			t.Errorf("%s: %v", text, err)
		}
	}
	t.Logf("%d rules, which ask for %d names: %v", len(rules), len(names), names)
}
