package app

import (
	"gatehouse/internal/apidoc"
)

// docs describes the API of the app.
func (a *App) docs() (*apidoc.Docs, error) {
	return apidoc.New(apidoc.Options{Source: a.Engine, Version: a.Version, Superuser: a.Superuser()})
}
