package house

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.." // of the repository, from here
	module = "gatehouse"
)

// skip says whether a folder holds nothing of ours: what a tool keeps for
// itself, what was fetched, built or made by a run.
func skip(dir string) bool {
	name := path.Base(dir)
	return dir == "dist" || dir == "bin" || name == "node_modules" || name == "gatehouse_data" || name[0] == '.'
}

// file is a Go file that is not a test.
type file struct {
	name      string // from the root of the repository
	lines     int
	generated bool
}

// room is a package of this module, read from its sources. The sources are
// read here and not through `go list`, because go test repeats an old result
// for as long as the files that the test itself has read stay the same.
type room struct {
	name       string // from the root: internal/fault
	documented bool
	imports    []string // the packages of ours that its non-test files import
	files      []file
}

// rooms reads every package of the module, tests and other modules apart.
func rooms(t *testing.T) []*room {
	t.Helper()
	found := map[string]*room{}
	walk(t, func(name string) {
		if !strings.HasSuffix(name, ".go") || strings.Contains(name, "/testdata/") {
			return
		}
		dir := path.Dir(name)
		if found[dir] == nil {
			found[dir] = &room{name: dir}
		}
		if !strings.HasSuffix(name, "_test.go") {
			readGo(t, found[dir], name)
		}
	})
	all := make([]*room, 0, len(found))
	for _, r := range found {
		slices.Sort(r.imports)
		r.imports = slices.Compact(r.imports)
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *room) int { return strings.Compare(a.name, b.name) })
	return all
}

// walk calls visit with every file of the module, named from its root. Modules
// inside this one are left out, and so is what skip names.
func walk(t *testing.T, visit func(name string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(p string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil || rel == "." {
			return err
		}
		if rel == ".git" && !entry.IsDir() {
			return nil // of a second work tree: it names the first
		}
		if !entry.IsDir() {
			visit(filepath.ToSlash(rel))
			return nil
		}
		if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil || skip(filepath.ToSlash(rel)) {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// readGo adds what a Go file says to its room.
func readGo(t *testing.T, r *room, name string) {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if ours, ok := strings.CutPrefix(imported, module+"/"); ok {
			r.imports = append(r.imports, ours)
		}
	}
	r.documented = r.documented || strings.TrimSpace(parsed.Doc.Text()) != ""
	r.files = append(r.files, file{name, bytes.Count(source, []byte("\n")), ast.IsGenerated(parsed)})
}
