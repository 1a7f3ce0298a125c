package sqldb

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLikeMatcher(t *testing.T) {
	for _, c := range likeCases {
		m, err := compileLike([]byte(c.pattern), c.fold)
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
			continue
		}
		for range 2 { // twice: scratch memory must not remember
			if got := m.match([]byte(c.text)); got != c.want {
				t.Errorf("%q like %q (fold %v): %v", c.text, c.pattern, c.fold, got)
			}
		}
	}
}

// likeCases hold for PostgreSQL too; the conformance test sees to that.
var likeCases = []struct {
	text, pattern string
	fold, want    bool
}{
	{"", "", false, true},
	{"a", "", false, false},
	{"", "%", false, true},
	{"abc", "%%", false, true},
	{"abc", "abc", false, true},
	{"abc", "ABC", false, false},
	{"abc", "ABC", true, true},
	{"abc", "%b%", false, true},
	{"abc", "%B%", true, true},
	{"abc", "%d%", true, false},
	{"abc", "a%", false, true},
	{"abc", "%c", false, true},
	{"abc", "b%", false, false},
	{"abc", "%b", false, false},
	{"abc", "a%c", false, true},
	{"ac", "a%c", false, true},
	{"a", "a%a", false, false},
	{"aXbXc", "a%b%c", false, true},
	{"acb", "a%b%c", false, false},
	{"abcabc", "%abc", false, true},
	{"aab", "%a_", false, true},
	{"abc", "a_c", false, true},
	{"aéc", "a_c", false, true},
	{"aéc", "a__c", false, false},
	{"日本語", "___", false, true},
	{"日本語", "%本%", false, true},
	{"日本語", "_本_", false, true},
	{"日本語", "%_語", false, true},
	{"語", "%_語", false, false},
	{"ÉCOLE", "%école%", true, true},
	{"ÉCOLE", "%école%", false, false},
	{"école", "%ÉCO%", true, true},
	{"Straße", "%STRASSE%", true, false},
	{"ΣΊΣΥΦΟΣ", "σίσυφο_", true, true},
	{"100%", `100\%`, false, true},
	{"1000", `100\%`, false, false},
	{"a_b", `a\_b`, false, true},
	{"axb", `a\_b`, false, false},
	{`a\b`, `a\\b`, false, true},
	{`a\b`, `%\\%`, false, true},
	{"abc", `\a\b\c`, false, true},
	{"a\nb", "a%b", false, true},
	{"a\nb", "a_b", false, true},
	{"\u212a", "%k%", true, true}, // Kelvin sign
	{"x\u212ay", "%xky%", true, true},
	{"\u0130", "%i%", true, true}, // dotted capital I
	{"ſ", "%s%", true, false},
	{"mississippi", "%iss%pi", false, true},
	{"mississippi", "m%si%si%i", false, true},
	{"mississippi", "m%si%si%si%i", false, false},
	{"abab", "%ab", false, true},
	{"ab", "ab%b", false, false},
	{"a", "_", false, true},
	{"", "_", false, false},
	{"aa", "_%_", false, true},
	{"a", "_%_", false, false},
}

func TestLikeBadPattern(t *testing.T) {
	for _, pattern := range []string{`\`, `abc\`, `%\\\`} {
		if _, err := compileLike([]byte(pattern), false); !errors.Is(err, ErrBadPattern) {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

// FuzzLike compares with a plain recursive definition.
func FuzzLike(f *testing.F) {
	for _, c := range likeCases {
		f.Add(c.text, c.pattern, c.fold)
	}
	f.Fuzz(func(t *testing.T, text, pattern string, fold bool) {
		if len(text)+len(pattern) > 40 || !utf8.ValidString(text) || !utf8.ValidString(pattern) {
			t.Skip()
		}
		m, err := compileLike([]byte(pattern), fold)
		if err != nil {
			return
		}
		want := []rune(pattern)
		have := []rune(text)
		if fold {
			want, have = []rune(string(appendLower(nil, []byte(pattern)))), []rune(string(appendLower(nil, []byte(text))))
		}
		if got := m.match([]byte(text)); got != plainLike(have, want) {
			t.Errorf("%q like %q (fold %v): %v", text, pattern, fold, got)
		}
	})
}

func plainLike(text, pattern []rune) bool {
	if len(pattern) == 0 {
		return len(text) == 0
	}
	switch pattern[0] {
	case '%':
		return plainLike(text, pattern[1:]) || len(text) > 0 && plainLike(text[1:], pattern)
	case '_':
		return len(text) > 0 && plainLike(text[1:], pattern[1:])
	case '\\':
		pattern = pattern[1:]
	}
	return len(text) > 0 && text[0] == pattern[0] && plainLike(text[1:], pattern[1:])
}

func BenchmarkLike(b *testing.B) {
	text := []byte("Azure Interior, 4557 De Silva St, Fremont " + strings.Repeat("x", 20))
	for name, c := range map[string]struct {
		pattern string
		fold    bool
	}{
		"contains": {"%silva%", true},
		"missing":  {"%nowhere%", true},
		"risky":    {"%kim%", true},
		"unicode":  {"%sílva%", true},
		"general":  {"%de%st%", true},
		"exact":    {"%Silva%", false},
	} {
		b.Run(name, func(b *testing.B) {
			m, _ := compileLike([]byte(c.pattern), c.fold)
			for b.Loop() {
				m.match(text)
			}
		})
	}
}
