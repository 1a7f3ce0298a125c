package httpapi

import (
	"time"

	"gatehouse/internal/fault"
	"gatehouse/internal/identity"
)

// about tells what this server is.
func (s *Server) about(*call) (reply, error) {
	return reply{data: map[string]any{
		"name":    "Gatehouse",
		"version": s.deps.Version,
		"odoo":    s.deps.InFront,
		"links": map[string]string{
			"ping": "/api/v1/ping", "login": "/api/v1/auth/login", "health": "/healthz", "ready": "/readyz",
		},
	}}, nil
}

// alive says that the process answers, nothing more.
func (s *Server) alive(*call) (reply, error) {
	return reply{raw: []byte(`{"status":"ok"}`)}, nil
}

// ready says whether store and backend can be reached.
func (s *Server) ready(c *call) (reply, error) {
	if err := s.deps.Ready(c.ctx); err != nil {
		return reply{}, fault.New(fault.Unavailable, "Not ready").Because(err)
	}
	return reply{raw: []byte(`{"status":"ready"}`)}, nil
}

// userView is a user as answers show him.
type userView struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Login string `json:"login"`
}

func (c *call) user() userView { return viewOf(c.who) }

// viewOf shows a caller himself.
func viewOf(who *identity.Principal) userView {
	p := who.Person()
	return userView{p.ID, p.Name, p.Login}
}

// ping checks a credential.
func (s *Server) ping(c *call) (reply, error) {
	return reply{data: struct {
		Pong      bool     `json:"pong"`
		User      userView `json:"user"`
		Timestamp string   `json:"timestamp"`
	}{true, c.user(), s.deps.Clock.Now().UTC().Format(time.RFC3339)}}, nil
}

// showSettings answers all settings, as they can be sent back, and what each is.
func (s *Server) showSettings(*call) (reply, error) {
	items := s.deps.Settings.List()
	return reply{data: s.settingValues(), meta: &meta{more: map[string]any{"settings": items}}}, nil
}

// changeSettings changes those that are given.
func (s *Server) changeSettings(c *call, changes map[string]any) (reply, error) {
	if err := s.deps.Settings.SetBy(c.ctx, c.caller.Origin, changes); err != nil {
		return reply{}, err
	}
	return reply{data: s.settingValues(), message: "Settings updated successfully"}, nil
}

// rotateSigningKey makes a new key that tokens are signed with. The answer
// says nothing of it.
func (s *Server) rotateSigningKey(c *call) (reply, error) {
	if err := s.deps.Identity.RotateSigningKey(c.ctx, c.caller.Origin); err != nil {
		return reply{}, err
	}
	return reply{data: map[string]bool{"rotated": true}, message: "Signing key rotated successfully"}, nil
}

func (s *Server) settingValues() map[string]any {
	values := map[string]any{}
	for _, item := range s.deps.Settings.List() {
		values[item.Name] = item.Value
	}
	return values
}
