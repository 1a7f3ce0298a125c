package domain

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the scripts give now into them")

// TestScripts runs testdata/*.test. A script is a list of cases, separated by
// blank lines:
//
//	parse                 how to read the input: parse, value, rule
//	['|', ('a', '=', 1)]  the input, up to the line ----
//	----
//	! 1 near "'|', ...": "|" needs 2 conditions ...
//
// A result that begins with "!" is the error that is expected, else it is the
// tree. The word after the command may be "quoted" (the input is a Go string)
// or limits such as depth=2; a rule's other words are names and their JSON
// values. Lines that begin with # before a case are comments.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.test")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".test"), func(t *testing.T) { runScript(t, file) })
	}
}

func runScript(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	var out []string
	for i := 0; i < len(lines); {
		if lines[i] == "" || lines[i][0] == '#' {
			out = append(out, lines[i])
			i++
			continue
		}
		start, command := i, lines[i]
		split := start + 1
		for split < len(lines) && lines[split] != "----" {
			split++
		}
		end := min(split+1, len(lines))
		for end < len(lines) && lines[end] != "" {
			end++
		}
		got := runCase(t, command, strings.Join(lines[start+1:split], "\n"))
		if want := strings.Join(lines[min(split+1, end):end], "\n"); got != want && !*update {
			t.Errorf("%s:%d: %s\n got: %s\nwant: %s", file, start+1, strings.Join(lines[start:split], "\n"), got, want)
		}
		out = append(append(out, lines[start:split]...), "----", got)
		i = end
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(out, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func runCase(t *testing.T, command, input string) string {
	words := strings.Fields(command)
	var lim Limits
	names := map[string]any{}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		n, _ := strconv.Atoi(value)
		switch key {
		case "quoted":
			s, err := strconv.Unquote(input)
			if err != nil {
				t.Fatalf("%s: %v", command, err)
			}
			input = s
		case "bytes":
			lim.Bytes = n
		case "depth":
			lim.Depth = n
		case "leaves":
			lim.Leaves = n
		case "list":
			lim.List = n
		default:
			names[key] = decode(t, value)
		}
	}
	switch words[0] {
	case "parse":
		n, err := Parse(input, lim)
		return result(n, err)
	case "value":
		n, err := FromValue(decode(t, input), lim)
		return result(n, err)
	case "rule":
		return runRule(input, lim, names)
	}
	t.Fatalf("unknown command %q", words[0])
	return ""
}

func runRule(input string, lim Limits, names map[string]any) string {
	r, err := ParseRule(input, lim)
	if err != nil {
		return result(nil, err)
	}
	n, err := r.Eval(func(name string) (any, error) {
		if v, ok := names[name]; ok {
			return v, nil
		}
		return nil, errors.New("not there")
	})
	return "names: " + strings.Join(r.Names(), " ") + "\n" + result(n, err)
}

// decode reads JSON as the server does; a text in a word cannot have spaces.
func decode(t *testing.T, s string) any {
	var v any
	d := json.NewDecoder(bytes.NewBufferString(s))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return v
}

func result(n Node, err error) string {
	var where *Error
	var unsupported *Unsupported
	switch {
	case errors.As(err, &unsupported):
		return "! unsupported " + strconv.Itoa(unsupported.Pos) + ": " + unsupported.What
	case errors.As(err, &where):
		return "! " + strconv.Itoa(where.Pos) + " near " + strconv.Quote(where.Near) + ": " + where.Msg
	case err != nil:
		return "! " + err.Error()
	}
	return tree(n)
}

// tree writes a tree so that its structure and the types of its values show.
func tree(n any) string {
	var parts []string
	nested := func(name string, nodes []Node) string {
		for _, c := range nodes {
			parts = append(parts, tree(c))
		}
		return name + "(" + strings.Join(parts, ", ") + ")"
	}
	switch n := n.(type) {
	case And:
		return nested("and", n)
	case Or:
		return nested("or", n)
	case Not:
		return "not(" + tree(n.Child) + ")"
	case Const:
		return map[Const]string{true: "everything", false: "nothing"}[n]
	case *Leaf:
		return n.Path + " " + string(n.Op) + " " + tree(n.Value)
	case nil:
		return "none"
	case string:
		return strconv.Quote(n)
	case float64:
		return "float " + formatFloat(n)
	case []any:
		for _, v := range n {
			parts = append(parts, tree(v))
		}
		return "[" + strings.Join(parts, " ") + "]"
	}
	return fmt.Sprint(n)
}
