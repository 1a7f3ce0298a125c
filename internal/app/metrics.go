package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// metricsServer serves /metrics on an address of its own, to whoever reaches it.
type metricsServer struct {
	server   *http.Server
	listener net.Listener
	served   chan error
}

// startMetrics starts it where an address is configured; nil: none is.
func (a *App) startMetrics(ctx context.Context) (*metricsServer, error) {
	if a.Config.Server.MetricsListen == "" {
		return nil, nil
	}
	listener, err := listenTCP(ctx, string(a.Config.Server.MetricsListen))
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		text, contentType := a.Traffic.Metrics(r.Context())
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(text) // the reader may be gone
	})
	m := &metricsServer{
		server:   &http.Server{Handler: mux, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readHeaderTimeout, WriteTimeout: time.Minute},
		listener: listener, served: make(chan error, 1),
	}
	go func() { m.served <- m.server.Serve(listener) }()
	a.Log.Info("metrics are served", "address", listener.Addr().String())
	return m, nil
}

// stop ends it.
func (m *metricsServer) stop(ctx context.Context) error {
	if m == nil {
		return nil
	}
	err := m.server.Shutdown(ctx)
	if ended := <-m.served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
