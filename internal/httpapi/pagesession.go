package httpapi

import (
	"net/http"
	"net/url"
	"strings"

	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/identity"
	"gatehouse/internal/throttle"
)

// pageSessionRoutes are how administrators sign in to the pages, and out. The
// browser keeps the credential where no script can read it.
func (s *Server) pageSessionRoutes() []Route {
	const path = "/api/v1/auth/session"
	return []Route{
		{
			Method: "POST", Pattern: path, Access: Public, Limiting: Counted, handler: with(s.readLogin, s.beginSession),
			Summary: "Signs an administrator in to the pages: sets the cookie " + identity.SessionCookie,
			Input:   "login (or email) and password", Output: "user, expires_in",
			Doc: Doc{
				ID: "beginSession", Tag: TagSession, Faults: []fault.Kind{fault.Unauthenticated, fault.Forbidden}, Tells: []string{"Set-Cookie"},
				Body: loginSchema(), Data: wire.Object(
					wire.Must("user", wire.Object(append(userMembers(), wire.Must("administrator", wire.Truth("")))...)),
					wire.Must("expires_in", wire.Whole("Seconds that the session holds."))),
			},
		},
		{
			Method: "DELETE", Pattern: path, Access: AnyCredential, Limiting: Counted, handler: bare(s.endSession),
			Summary: "Signs out of the pages: ends the session of the cookie", Output: `{"logged_out": true}`,
			Doc: Doc{
				ID: "endSession", Tag: TagSession, Data: wire.Object(wire.Must("logged_out", wire.Truth(""))), Tells: []string{"Set-Cookie"},
			},
		},
	}
}

// beginSession signs an administrator in. A page of another site must not do
// that either: it would have people work as somebody else.
func (s *Server) beginSession(c *call, in loginInput) (reply, error) {
	if fromElsewhere(c.r, s.deps.PublicURL) {
		return reply{}, foreignPage()
	}
	token, user, err := s.deps.Identity.BeginSession(c.ctx, in.login, in.password, c.origin())
	if err != nil {
		return reply{}, err
	}
	c.event.UserID, c.event.Login = user.UserID, user.Login
	s.setCookie(c, token, int(identity.SessionLife.Seconds()))
	type account struct {
		userView
		Administrator bool `json:"administrator"`
	}
	return reply{data: struct {
		User      account `json:"user"`
		ExpiresIn int     `json:"expires_in"`
	}{account{viewOf(user), user.Administrator}, int(identity.SessionLife.Seconds())}}, nil
}

// endSession signs out.
func (s *Server) endSession(c *call) (reply, error) {
	if err := s.deps.Identity.EndSession(c.ctx, c.who); err != nil {
		return reply{}, err
	}
	s.setCookie(c, "", -1)
	return reply{raw: []byte(`{"logged_out":true}`), message: "Logged out successfully"}, nil
}

// setCookie keeps a token in the browser for as many seconds; -1 forgets it.
func (s *Server) setCookie(c *call, token string, seconds int) {
	http.SetCookie(c.w, &http.Cookie{
		Name: identity.SessionCookie, Value: token, Path: "/", MaxAge: seconds,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: throttle.Secure(c.r, s.deps.TrustedProxies),
	})
}

// ownPage holds requests with the cookie, which browsers send by themselves,
// to those that our own pages make. Browsers say where a request is from
// (Fetch Metadata), older ones at least the origin of what changes something.
// What says neither may only read.
func (s *Server) ownPage(r *http.Request) error {
	if fromElsewhere(r, s.deps.PublicURL) {
		return foreignPage()
	}
	safe := (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.Header.Get("Upgrade") == ""
	if safe || r.Header.Get("Sec-Fetch-Site") == "same-origin" || r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") != "" {
		return nil
	}
	return foreignPage()
}

func foreignPage() error {
	return fault.New(fault.Forbidden, "A session is good for requests of Gatehouse's own pages only: use an API key or a token")
}

// fromElsewhere says whether a request admits to come from a page of another
// site. Where the browser tells nothing, it does not.
func fromElsewhere(r *http.Request, publicURL string) bool {
	if site := r.Header["Sec-Fetch-Site"]; len(site) > 0 {
		return len(site) > 1 || site[0] != "same-origin" && site[0] != "none"
	}
	origin := r.Header["Origin"]
	if len(origin) == 0 {
		return false
	}
	u, err := url.Parse(origin[0])
	return len(origin) > 1 || err != nil || u.Host == "" ||
		!strings.EqualFold(u.Host, r.Host) && !strings.EqualFold(origin[0], publicURL)
}
