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
	mask := func(from, to int) {
		if out.Len() == 0 {
			out.Grow(len(s))
		}
		out.WriteString(s[copied:from])
		out.WriteString(Mask)
		copied = to
	}
	for i := 0; i < len(s); {
		if s[i] == '$' && isHash(s[i:]) {
			end := i
			for end < len(s) && (isWord(s[end]) || strings.IndexByte("$./+=,", s[end]) >= 0) {
				end++
			}
			mask(i, end)
			i = end
			continue
		}
		if !isWord(s[i]) {
			i++
			continue
		}
		end := i
		for end < len(s) && isWord(s[end]) {
			end++
		}
		word := s[i:end]
		if end < len(s) && s[end] == '$' && digits(word) { // <uid>$<key>
			key := end + 1
			for key < len(s) && isWord(s[key]) {
				key++
			}
			if key-end-1 >= 16 {
				mask(end+1, key)
				i = key
				continue
			}
		}
		if last := secretEnd(s, i, end, strict); last > i {
			mask(i, last)
			i = last
			continue
		}
		if !strict {
			if from, to := following(s, word, end); to > from {
				mask(from, to)
				i = to
				continue
			}
		}
		i = end
	}
	if copied == 0 {
		return s
	}
	out.WriteString(s[copied:])
	return out.String()
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
	case Name(word):
		from = end
		for from < len(s) && (s[from] == ' ' || s[from] == '"' || s[from] == '\'' || s[from] == '\\') {
			from++
		}
		if from == len(s) || s[from] != '=' && s[from] != ':' {
			return 0, 0
		}
		from++
		for from < len(s) && (s[from] == ' ' || s[from] == '"' || s[from] == '\'' || s[from] == '\\') {
			from++
		}
		return from, secretValue(s, from, 1)
	}
	return 0, 0
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
