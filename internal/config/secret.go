package config

import (
	"errors"
	"fmt"
	"net/url"
)

// mask stands for a secret wherever one would be printed.
const mask = "********"

// secret is a value that never shows itself: no verb of fmt, no encoder and no
// log prints more than String does. Reveal is the one way to the real text.
type secret interface {
	String() string
	Reveal() string
}

// Secret is a text that is printed as a row of stars.
type Secret string

// Reveal is the real text.
func (s Secret) Reveal() string { return string(s) }

// String is the mask, or empty where there is no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return mask
}

// Format keeps verbs such as %q, %x and %#v from going round String.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// MarshalText masks the secret in JSON, YAML and structured logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the text as it is.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}

// DatabaseURL is the URL of a PostgreSQL database. It is printed without its
// password and its parameters, so that one still sees which database it is.
type DatabaseURL string

// Reveal is the whole URL.
func (u DatabaseURL) Reveal() string { return string(u) }

// String is the URL without password and parameters.
func (u DatabaseURL) String() string {
	if u == "" {
		return ""
	}
	parsed, err := parseDatabaseURL(string(u))
	if err != nil {
		return mask
	}
	shown := parsed.Scheme + "://"
	if parsed.User != nil {
		shown += url.User(parsed.User.Username()).String()
		if _, set := parsed.User.Password(); set {
			shown += ":" + mask
		}
		shown += "@"
	}
	return shown + parsed.Host + parsed.EscapedPath()
}

// Format keeps verbs such as %q, %x and %#v from going round String.
func (u DatabaseURL) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(u.String())) }

// MarshalText masks the URL in JSON, YAML and structured logs.
func (u DatabaseURL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText refuses what is no postgres:// URL, without repeating it.
func (u *DatabaseURL) UnmarshalText(text []byte) error {
	if len(text) > 0 {
		if _, err := parseDatabaseURL(string(text)); err != nil {
			return err
		}
	}
	*u = DatabaseURL(text)
	return nil
}

var errDatabaseURL = errors.New("not a URL like postgres://user:password@host/database")

// parseDatabaseURL drops url.Parse's own error: it quotes the URL, password
// and all.
func parseDatabaseURL(text string) (*url.URL, error) {
	parsed, err := url.Parse(text)
	if err != nil || (parsed.Scheme != "postgres" && parsed.Scheme != "postgresql") || parsed.Opaque != "" {
		return nil, errDatabaseURL
	}
	return parsed, nil
}
