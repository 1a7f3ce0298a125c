package redact

import "strings"

// longSecret is the length from which a run of random letters is a secret:
// that of a client's secret. Keys of users have 40, those of the gateway 64.
const longSecret = 32

// isWord says whether a character may be part of a credential.
func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// Text masks what looks like a credential in any text: tokens, keys, secrets,
// hashes, and what follows Bearer, Basic or "password=".
func Text(s string) string { return text(s, false) }

// Strict masks only what can be nothing else than one of our credentials. It is
// for identifiers, which are of no use when they are masked.
func Strict(s string) string { return text(s, true) }

func text(s string, strict bool) string {
	var out strings.Builder
	copied := 0
	for i := 0; i < len(s); {
		from, to := secretAt(s, i, strict)
		if to > from {
			out.WriteString(s[copied:from])
			out.WriteString(Mask)
			copied = to
		}
		i = to
	}
	if copied == 0 {
		return s
	}
	out.WriteString(s[copied:])
	return out.String()
}

// secretAt looks at the word or character at i: [from, to) is a secret that
// begins there or follows. Where there is none, from is to: from where to look on.
func secretAt(s string, i int, strict bool) (from, to int) {
	if s[i] == '$' && isHash(s[i:]) {
		return i, hashEnd(s, i)
	}
	end := wordEnd(s, i)
	if end == i {
		return i + 1, i + 1
	}
	if end < len(s) && s[end] == '$' && digits(s[i:end]) { // <uid>$<key>
		if key := wordEnd(s, end+1); key-end-1 >= 16 {
			return end + 1, key
		}
	}
	if last := secretEnd(s, i, end, strict); last > i {
		return i, last
	}
	if !strict {
		if from, to = following(s, s[i:end], end); to > from {
			return from, to
		}
	}
	return end, end
}

// wordEnd is where the word ends that begins at i.
func wordEnd(s string, i int) int {
	for i < len(s) && isWord(s[i]) {
		i++
	}
	return i
}

// hashEnd is where the hash ends that begins at i.
func hashEnd(s string, i int) int {
	for i < len(s) && (isWord(s[i]) || strings.IndexByte("$./+=,", s[i]) >= 0) {
		i++
	}
	return i
}

// secretEnd says where the secret ends that begins with a word; start: it is none.
func secretEnd(s string, start, end int, strict bool) int {
	word := s[start:end]
	switch {
	case strings.HasPrefix(word, "whsec_"), strings.HasPrefix(word, "whsk_"):
		for end < len(s) && (isWord(s[end]) || s[end] == '+' || s[end] == '/' || s[end] == '=') {
			end++
		}
		return end
	case strings.HasPrefix(word, "eyJ") && len(word) >= 10: // a JWT, or the beginning of one
		for end < len(s) && (isWord(s[end]) || s[end] == '.') {
			end++
		}
		return end
	case strict && len(word) == 64 && !identifier(word), strict && len(word) == 40 && !identifier(word):
		return end
	case !strict && len(word) >= longSecret && !identifier(word):
		return end
	}
	return start
}

// identifier says whether a long word is one that people write, or a UUID:
// several pieces of small letters and digits. Random ones have capitals, or no
// separators.
func identifier(word string) bool {
	separators, piece := 0, 0
	for i := range len(word) {
		switch c := word[i]; {
		case c >= 'A' && c <= 'Z':
			return false
		case c == '_' || c == '-':
			separators++
			piece = 0
		default:
			if piece++; piece > 20 {
				return false
			}
		}
	}
	return separators >= 2
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// isHash says whether a text begins with a hash of a password.
func isHash(s string) bool {
	for _, prefix := range []string{"$pbkdf2", "$argon2", "$2a$", "$2b$", "$2y$", "$scrypt", "$6$"} {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

// following gives what a word says is secret: the rest after Bearer or Basic,
// or the value of password=.
func following(s, word string, end int) (from, to int) {
	switch {
	case strings.EqualFold(word, "Bearer") || strings.EqualFold(word, "Basic"):
		from = end
		for from < len(s) && s[from] == ' ' {
			from++
		}
		if from == end {
			return 0, 0
		}
		return from, secretValue(s, from, 12)
	default: // most words are not followed by a value, so that is looked at first
		from = skipQuotes(s, end)
		if from == len(s) || s[from] != '=' && s[from] != ':' || !Name(word) {
			return 0, 0
		}
		from = skipQuotes(s, from+1)
		return from, secretValue(s, from, 1)
	}
}

// skipQuotes passes over blanks and quotes.
func skipQuotes(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '"' || s[i] == '\'' || s[i] == '\\') {
		i++
	}
	return i
}

// secretValue is the end of a value of at least some length; else its start.
func secretValue(s string, from, least int) int {
	to := from
	for to < len(s) && strings.IndexByte(" \t\r\n\"'&,;}])", s[to]) < 0 {
		to++
	}
	if to-from < least || s[from] == '{' || s[from] == '[' || strings.HasPrefix(s[from:to], "***") {
		return from
	}
	switch s[from:to] {
	case "null", "true", "false":
		return from
	}
	return to
}
