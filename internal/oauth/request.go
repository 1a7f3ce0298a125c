package oauth

import (
	"context"
	"encoding/base64"
	"mime"
	"net/url"
	"strings"
	"unicode/utf8"

	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
)

// assertionType says that client_assertion is a JSON Web Token (RFC 7523
// section 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Bounds of a form: bytes, and parameters.
const (
	maxForm   = 64 << 10
	maxParams = 64
)

// parseForm reads the parameters of a request. None may come twice (RFC 6749
// section 3.2); one without a value counts as left out.
func parseForm(contentType string, body []byte) (map[string]string, error) {
	kind, _, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil || kind != "application/x-www-form-urlencoded":
		return nil, refuse(InvalidRequest, "Content-Type must be application/x-www-form-urlencoded: JSON is not taken here (RFC 6749)")
	case len(body) > maxForm:
		return nil, refuse(InvalidRequest, "The body is too long")
	}
	form, seen := map[string]string{}, map[string]bool{}
	for part := range strings.SplitSeq(string(body), "&") {
		if part == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(part, "=")
		name, err := decode(rawName)
		if err != nil {
			return nil, refuse(InvalidRequest, "The name of a parameter is not form-encoded text")
		}
		value, err := decode(rawValue)
		switch {
		case err != nil:
			return nil, refuse(InvalidRequest, "The parameter "+shown(name)+" is not form-encoded text without control characters")
		case seen[name]:
			return nil, refuse(InvalidRequest, "The parameter "+shown(name)+" is given twice")
		case len(seen) == maxParams:
			return nil, refuse(InvalidRequest, "Too many parameters")
		}
		seen[name] = true
		if value != "" {
			form[name] = value
		}
	}
	return form, nil
}

// decode undoes application/x-www-form-urlencoded. What it gives is UTF-8
// without control characters: no parameter here has any.
func decode(text string) (string, error) {
	plain, err := url.QueryUnescape(text)
	if err != nil {
		return "", err
	}
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	if !utf8.ValidString(plain) || strings.ContainsFunc(plain, control) || strings.Contains(text, ";") {
		return "", errText
	}
	return plain, nil
}

var errText = fault.New(fault.BadRequest, "not text")

// shown shortens a name for a message.
func shown(name string) string {
	const most = 40
	if len(name) > most {
		return strings.ToValidUTF8(name[:most], "")
	}
	return name
}

// credentials are what a client says to prove who it is.
type credentials struct {
	id, secret string
	assertion  string // instead of the secret
}

// readCredentials takes the client's credentials out of header and form. It may
// use one way only (RFC 6749 section 2.3).
func readCredentials(authorization []string, form map[string]string) (c credentials, err error) {
	c = credentials{id: form["client_id"], secret: form["client_secret"], assertion: form["client_assertion"]}
	ways := 0
	for _, used := range []bool{len(authorization) > 0, c.secret != "", c.assertion != ""} {
		if used {
			ways++
		}
	}
	kind := form["client_assertion_type"]
	switch {
	case len(authorization) > 1:
		return c, refuse(InvalidRequest, "More than one Authorization header")
	case ways > 1:
		return c, refuse(InvalidRequest, "The client authenticates in more than one way: use one of HTTP Basic, client_secret and client_assertion")
	case ways == 0:
		return c, refuse(InvalidClient, "Client authentication is missing: use HTTP Basic, client_id and client_secret, or client_assertion")
	case c.assertion != "" && kind != assertionType:
		return c, refuse(InvalidRequest, "client_assertion_type must be "+assertionType)
	case c.assertion == "" && kind != "":
		return c, missing("client_assertion")
	case c.secret != "" && c.id == "":
		return c, missing("client_id")
	case len(authorization) == 0:
		return c, nil
	}
	id, secret, err := basic(authorization[0])
	if err != nil {
		return c, err
	}
	if c.id != "" && c.id != id {
		return c, refuse(InvalidRequest, "client_id is not that of the Authorization header")
	}
	return credentials{id: id, secret: secret}, nil
}

// basic reads HTTP Basic, of which RFC 6749 section 2.3.1 wants both parts
// form-encoded.
func basic(header string) (id, secret string, err error) {
	scheme, text, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", refuse(InvalidClient, "Clients authenticate with HTTP Basic here, not with another scheme")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(text))
	if err != nil {
		return "", "", refuse(InvalidClient, "The Authorization header is no valid HTTP Basic")
	}
	rawID, rawSecret, ok := strings.Cut(string(raw), ":")
	if !ok {
		return "", "", refuse(InvalidClient, "The Authorization header is no valid HTTP Basic")
	}
	if id, err = decode(rawID); err == nil {
		secret, err = decode(rawSecret)
	}
	if err != nil {
		return "", "", refuse(InvalidClient, "Id and secret in HTTP Basic must be form-encoded text")
	}
	return id, secret, nil
}

// authenticate finds out which client asks.
func (s *Server) authenticate(ctx context.Context, r *Request, form map[string]string) (*identity.Client, error) {
	c, err := readCredentials(r.Authorization, form)
	if err != nil {
		return nil, err
	}
	if c.assertion != "" {
		audiences := []string{r.Issuer + TokenPath, r.Issuer}
		return s.Clients.AuthenticateAssertion(ctx, c.id, c.assertion, audiences, r.Meta)
	}
	return s.Clients.AuthenticateClient(ctx, c.id, c.secret, r.Meta)
}
