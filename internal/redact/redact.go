// Package redact takes secrets out of what is to be kept of requests: headers,
// queries, bodies, messages. It has no I/O and knows no request; what it is
// given may be cut off, broken or hostile.
//
// Two nets are used together. A value is masked for the name it stands under
// (password, client_secret), and whatever looks like one of our credentials is
// masked wherever it stands. Masking too much is a nuisance, too little a leak:
// in doubt it is masked.
package redact

import (
	"net/http"
	"net/url"
	"strings"
)

// Mask stands for a secret.
const Mask = "**********"

// contained are pieces of names that hold secrets, written together.
var contained = []string{
	"password", "passwd", "passphrase", "pwd", "secret", "token", "apikey", "odookey", "privatekey", "authorization", "cookie",
	"credential", "clientassertion", "accesskey", "signingkey", "encryptionkey", "sessionid", "signature",
}

// exact are whole names that hold secrets; harmless ones that would be found
// among contained.
var (
	exact    = map[string]bool{"key": true, "pass": true, "auth": true, "jwt": true, "otp": true, "pin": true, "sid": true}
	harmless = map[string]bool{
		"tokentype": true, "tokenlifetime": true, "tokensactive": true, "tokentypehint": true, "clientassertiontype": true,
		"tokenendpoint": true, "revocationendpoint": true, "signaturealgorithm": true,
	}
)

// Name says whether what stands under a name is secret.
func Name(name string) bool {
	var buf [200]byte // beyond, it is no name; its beginning is looked at all the same
	kept := buf[:0]
	for i := 0; i < len(name) && len(kept) < len(buf); i++ {
		switch c := name[i]; {
		case c == '_' || c == '-' || c == '.' || c == ' ':
		case c >= 'A' && c <= 'Z':
			kept = append(kept, c+'a'-'A')
		default:
			kept = append(kept, c)
		}
	}
	if len(kept) < 3 { // the shortest are pin and key
		return false
	}
	plain := string(kept)
	if exact[plain] {
		return true
	}
	for _, part := range contained {
		if strings.Contains(plain, part) {
			return !harmless[plain]
		}
	}
	return false
}

// inQuery are names that are secret in queries and forms, not in bodies: there
// a code is that of a country.
func inQuery(name string) bool { return Name(name) || strings.EqualFold(name, "code") }

// Header masks the values of a header.
func Header(name string, values []string) string {
	joined := strings.Join(values, ", ")
	switch {
	case strings.EqualFold(name, "Authorization"), strings.EqualFold(name, "Proxy-Authorization"):
		scheme, _, _ := strings.Cut(joined, " ")
		for _, known := range []string{"Bearer", "Basic"} {
			if strings.EqualFold(scheme, known) {
				return known + " " + Mask
			}
		}
		return Mask
	case Name(name):
		return Mask
	case strings.EqualFold(name, "Referer"), strings.EqualFold(name, "Location"):
		if before, query, found := strings.Cut(joined, "?"); found {
			return Text(before) + "?" + Query(query)
		}
	}
	return Text(joined)
}

// Headers masks all headers.
func Headers(h http.Header) map[string]string {
	all := make(map[string]string, len(h))
	for name, values := range h {
		all[Text(name)] = Header(name, values)
	}
	return all
}

// Query masks a query or a form, as it was sent: percent-encoded or broken.
func Query(raw string) string {
	if raw == "" {
		return ""
	}
	pairs := strings.FieldsFunc(raw, func(r rune) bool { return r == '&' || r == ';' })
	for i, pair := range pairs {
		name, value, found := strings.Cut(pair, "=")
		plainName, err := url.QueryUnescape(name)
		if err != nil {
			plainName = name
		}
		switch {
		case found && inQuery(plainName):
			pairs[i] = Text(name) + "=" + Mask
		default:
			pairs[i] = masked(name)
			if found {
				pairs[i] += "=" + masked(value)
			}
		}
	}
	return strings.Join(pairs, "&")
}

// masked masks a percent-encoded text, which stays as it was where there is
// nothing to hide.
func masked(encoded string) string {
	plain, err := url.QueryUnescape(encoded)
	if err != nil {
		return JSON(encoded)
	}
	if safe := JSON(plain); safe != plain {
		return strings.ReplaceAll(url.QueryEscape(safe), "%2A", "*")
	}
	return Text(encoded)
}

// Path masks the path of a request.
func Path(path string) string { return Text(path) }

// Body masks a body of a content type. cut says that its end is missing.
func Body(contentType, body string, cut bool) string {
	form := strings.HasPrefix(strings.ToLower(strings.TrimSpace(contentType)), "application/x-www-form-urlencoded")
	first := strings.TrimLeft(body, " \t\r\n")
	if cut {
		body = withoutTail(body)
	}
	if form || first != "" && !strings.ContainsRune("{[\"", rune(first[0])) && strings.Contains(body, "=") {
		body = Query(scan(body, 0))
	}
	return JSON(body)
}

// withoutTail masks the end of what was cut off where it may be the beginning
// of a secret.
func withoutTail(s string) string {
	start := len(s)
	for start > 0 && isWord(s[start-1]) {
		start--
	}
	if len(s)-start >= 8 {
		return s[:start] + Mask
	}
	return s
}
