package httpapi

import (
	"strings"

	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/identity"
)

// sessionRoutes are how users sign in and out.
func (s *Server) sessionRoutes() []Route {
	const pair = "access_token, refresh_token, token_type, expires_in"
	return []Route{
		{
			Method: "POST", Pattern: "/api/v1/auth/login", Access: Public, Limiting: Counted, handler: with(s.readLogin, s.login),
			Summary: "Signs a user in", Input: "login (or email) and password", Output: pair + ", user",
			Doc: Doc{
				ID: "login", Tag: TagSession, Faults: []fault.Kind{fault.Unauthenticated},
				Body: loginSchema(), Example: map[string]any{"login": "demo-manager", "password": "demo-manager"},
				Data: wire.Object(append(tokenMembers(), wire.Must("user", wire.Named("User")))...),
			},
		},
		{
			Method: "POST", Pattern: "/api/v1/auth/refresh", Access: Public, Limiting: Counted, handler: with(s.readRefresh, s.refresh),
			Summary: "Exchanges a refresh token, once", Input: "refresh_token", Output: pair,
			Doc: Doc{
				ID: "refresh", Tag: TagSession, Faults: []fault.Kind{fault.Unauthenticated},
				Body: wire.Object(wire.Must("refresh_token", wire.Text(""))).Open("Not looked at."), Data: wire.Named("TokenPair"),
			},
		},
		{
			Method: "POST", Pattern: "/api/v1/auth/logout", Access: AnyCredential, Limiting: Counted, handler: with(s.readLogout, s.logout),
			Summary: "Ends the session of the access token", Input: "refresh_token, or nothing", Output: `{"logged_out": true}`,
			Doc: Doc{
				ID: "logout", Tag: TagSession, Optional: true,
				Body: wire.Object(wire.May("refresh_token", wire.Text("Ends too.").OrNull())).Open("Not looked at."),
				Data: wire.Object(wire.Must("logged_out", wire.Truth(""))),
			},
		},
		{
			Method: "GET", Pattern: "/api/v1/auth/me", Access: AnyCredential, Limiting: Counted, handler: bare(s.me),
			Summary: "Who the caller is", Output: "user, credential and scopes",
			Doc: Doc{ID: "me", Tag: TagSession, Data: wire.Object(append(userMembers(),
				wire.Must("administrator", wire.Truth("")), wire.Must("credential", wire.Named("Credential")),
				wire.Must("scopes", wire.ListOf(wire.Text(""), "all: whatever the user may.")))...)},
		},
	}
}

// loginInput is a request to sign in.
type loginInput struct{ login, password string }

func (s *Server) readLogin(c *call) (loginInput, error) {
	body, err := s.readObject(c)
	if err != nil {
		return loginInput{}, err
	}
	if _, given := body["login"]; !given {
		if email, given := body["email"]; given {
			body["login"] = email
		}
	}
	var in loginInput
	var problems wire.Problems
	in.login = textMember(body, "login", &problems)
	in.password = textMember(body, "password", &problems)
	return in, problems.Err()
}

// textMember takes a text that must be there.
func textMember(body map[string]any, name string, problems *wire.Problems) string {
	text, isText := body[name].(string)
	switch {
	case body[name] == nil || isText && text == "":
		problems.Missing(name)
	case !isText:
		problems.Add(fault.BadRequest, name, "must be a text")
	case strings.IndexByte(text, 0) >= 0:
		problems.Add(fault.BadRequest, name, "must not contain NUL characters")
	}
	return text
}

func (c *call) origin() identity.Meta {
	return identity.Meta{IP: c.ip, UserAgent: c.event.UserAgent}
}

// login signs a user in.
func (s *Server) login(c *call, in loginInput) (reply, error) {
	pair, user, err := s.deps.Identity.Login(c.ctx, in.login, in.password, c.origin())
	if err != nil {
		return reply{}, err
	}
	c.event.UserID, c.event.Login = user.UserID, user.Login
	return reply{data: struct {
		*identity.TokenPair
		User userView `json:"user"`
	}{pair, viewOf(user)}}, nil
}

func (s *Server) readRefresh(c *call) (string, error) {
	body, err := s.readObject(c)
	if err != nil {
		return "", err
	}
	var problems wire.Problems
	token := textMember(body, "refresh_token", &problems)
	return token, problems.Err()
}

// refresh exchanges a refresh token for a new pair.
func (s *Server) refresh(c *call, token string) (reply, error) {
	pair, err := s.deps.Identity.Refresh(c.ctx, token, c.origin())
	return reply{data: pair}, err
}

func (s *Server) readLogout(c *call) (string, error) {
	body, err := s.readArguments(c)
	if err != nil || body["refresh_token"] == nil {
		return "", err
	}
	var problems wire.Problems
	token := textMember(body, "refresh_token", &problems)
	return token, problems.Err()
}

// logout ends the session of the access token.
func (s *Server) logout(c *call, refresh string) (reply, error) {
	if err := s.deps.Identity.Logout(c.ctx, c.who, refresh); err != nil {
		return reply{}, err
	}
	return reply{raw: []byte(`{"logged_out":true}`), message: "Logged out successfully"}, nil
}

// me tells the caller who he is. A user's own token or key has no scopes that
// narrow what he may do.
func (s *Server) me(c *call) (reply, error) {
	scopes := strings.Fields(c.who.Scopes.String())
	if c.who.Kind == identity.UserToken || c.who.Kind == identity.UserKey || c.who.Kind == identity.Session {
		scopes = []string{"all"}
	}
	return reply{data: struct {
		userView
		Administrator bool                    `json:"administrator"`
		Credential    identity.CredentialKind `json:"credential"`
		Scopes        []string                `json:"scopes"`
	}{c.user(), c.who.Administrator, c.who.Kind, scopes}}, nil
}
