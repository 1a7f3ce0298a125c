package house

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	longFile    = 400 // lines from which a file should be split by idea
	tooLongFile = 700 // lines from which it must be
)

func TestFileSizes(t *testing.T) {
	for _, r := range rooms(t) {
		for _, f := range r.files {
			switch {
			case f.generated:
			case f.lines > tooLongFile:
				t.Errorf("%s has %d lines, more than %d: split it by idea", f.name, f.lines, tooLongFile)
			case f.lines > longFile:
				t.Logf("%s has %d lines; under %d reads better", f.name, f.lines, longFile)
			}
		}
	}
}

// machinePath finds folders that exist on the machine of whoever wrote a file
// and on no other. The pieces are joined here so that this file passes too.
var machinePath = regexp.MustCompile(`(?:^|[^\w./~$}-])(?:/` + `work/|/` + `root/|/` + `home/[a-z])`)

// allowedPaths are files in which such a path is right, and why.
var allowedPaths = map[string]string{}

func TestNoPathsOfMachines(t *testing.T) {
	seen := 0
	walk(t, func(name string) {
		if allowedPaths[name] != "" {
			return
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text) {
			return // an image, a font, a binary
		}
		seen++
		for i, line := range strings.Split(string(text), "\n") {
			if found := machinePath.FindString(line); found != "" {
				t.Errorf("%s:%d names a folder of one machine: %s", name, i+1, strings.TrimSpace(found))
			}
		}
	})
	if seen < 5 {
		t.Errorf("only %d files were looked at", seen)
	}
}

func TestMachinePath(t *testing.T) {
	home, top := "/ho"+"me/", "/ro"+"ot/"
	for line, want := range map[string]bool{
		"see " + home + "ann/notes": true, `"` + top + `x"`: true, top + ".cache": true, "cd=/wo" + "rk/main": true,
		"https://example.com" + home + "page": false, "../wo" + "rk/x": false, "./wo" + "rk/x": false, "~" + top: false, "a $HOME" + home + "x": false,
		home + "<you>": false, "network/root": false,
	} {
		if got := machinePath.MatchString(line); got != want {
			t.Errorf("%q: %v, want %v", line, got, want)
		}
	}
}
