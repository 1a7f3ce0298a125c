package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"gatehouse/internal/apidoc"
	"gatehouse/internal/business"
	"gatehouse/internal/httpapi"
	"gatehouse/internal/oauth"
	"gatehouse/internal/record"
	"gatehouse/internal/throttle"
	"gatehouse/web"
)

// readHeaderTimeout cuts off clients that never finish their headers,
// idleTimeout connections that nobody uses, and slowestReader those who do not
// take their answer. A body has as long as its request.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	slowestReader     = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
)

// Handler is the HTTP face of the app.
func (a *App) Handler() (http.Handler, error) {
	api, err := a.api()
	if err != nil {
		return nil, err
	}
	return web.Handler(api, a.shutOut)
}

// api is the REST API, which describes itself.
func (a *App) api() (*httpapi.Server, error) {
	records := a.records()
	source, ok := records.(apidoc.Source)
	if !ok {
		return nil, errors.New("the data source does not describe itself")
	}
	docs, err := apidoc.New(apidoc.Options{Source: source, Version: a.Version, Superuser: a.Superuser()})
	if err != nil {
		return nil, err
	}
	if err := a.checkDeclared(context.Background()); err != nil {
		return nil, err
	}
	return httpapi.New(httpapi.Deps{
		Backend: records, Identity: a.Identity, Limiter: a.Limiter, Settings: a.Settings, Blocks: a.Blocks,
		Resources: resources(a.Config), Methods: httpapi.MethodLists(a.Config.API.Methods), Log: a.Log,
		Observer: a.observers(), Trace: traceRequests(a.tracer), Telemetry: telemetry{a.Traffic},
		TrustedProxies: a.Config.Server.TrustedProxies, MaxBody: int64(a.Config.Server.MaxBody),
		MaxUpload:      int64(a.Config.Server.MaxUpload),
		RequestTimeout: a.Config.Server.RequestTimeout, Version: a.Version,
		Protocols: []httpapi.Protocol{a.native()},
		Documents: docs,
		Answers:   answers{a.Answers},
		OAuth:     &oauth.Server{Clients: a.Identity}, PublicURL: string(a.Config.Server.PublicURL),
		InFront:        a.Odoo != nil,
		AdmitUncounted: a.Config.Server.RateLimitOnError == "open",
	})
}

// shutOut says whether a request is of a blocked address, which is to get the
// API's refusal and no pages.
func (a *App) shutOut(r *http.Request) bool {
	_, blocked := a.Blocks.Blocked(throttle.ClientIP(r, a.Config.Server.TrustedProxies), time.Now())
	return blocked
}

// Serve answers requests until ctx ends, then lets those under way finish.
// ready, if not nil, gets the address once it listens.
func (a *App) Serve(ctx context.Context, ready func(addr net.Addr)) (err error) {
	handler, err := a.Handler()
	if err != nil {
		return err
	}
	listener, err := listenTCP(ctx, string(a.Config.Server.Listen))
	if err != nil {
		return err
	}
	metrics, err := a.startMetrics(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, metrics.stop(context.WithoutCancel(ctx))) }()
	if err := a.Jobs.Start(ctx); err != nil {
		return errors.Join(err, listener.Close())
	}
	a.Webhooks.Start(ctx)
	a.Traffic.Start(ctx)
	server := a.server(handler)
	if ready != nil {
		ready(listener.Addr())
	}
	drainer := drainable(server)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return errors.Join(err, a.drain(ctx, func(context.Context) error { return nil }))
	case <-ctx.Done():
	}
	a.Log.Info("draining", "timeout", a.Config.Server.ShutdownTimeout)
	return a.drain(ctx, func(ctx context.Context) error {
		if err := drainer.drain(ctx, listener, served, settleTime); err != nil {
			return fmt.Errorf("draining for %s: %w", a.Config.Server.ShutdownTimeout, err)
		}
		return nil
	})
}

// drain lets requests end and jobs be handed back, at the same time and within
// the timeout.
func (a *App) drain(ctx context.Context, requests func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.Config.Server.ShutdownTimeout)
	defer cancel()
	a.Traffic.Drain()
	jobs := make(chan error, 1)
	go func() { jobs <- a.Jobs.Stop(ctx) }()
	return errors.Join(requests(ctx), <-jobs)
}

// server is the HTTP server with the limits that protect it.
func (a *App) server(handler http.Handler) *http.Server {
	longest := a.Config.Server.RequestTimeout + readHeaderTimeout
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout,
		// Also for bodies that nobody reads: net/http waits for the rest of them
		// before it sends a refusal. Handlers that stream for longer move these
		// limits with http.ResponseController.
		ReadTimeout: longest, WriteTimeout: longest + slowestReader,
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(a.Log.Handler(), slog.LevelDebug),
		DisableGeneralOptionsHandler: true, // it would answer OPTIONS * past limits and blocks
	}
}

// Greet tells a newcomer what was started, the password of the first start,
// and that demo users are an open door.
func (a *App) Greet(ctx context.Context, w io.Writer, addr net.Addr) error {
	text := fmt.Sprintf("Gatehouse %s listens on http://%s\n", a.Version, addr)
	if a.FirstPassword != "" {
		text += fmt.Sprintf("Administrator: login admin, password %s (shown this once)\n", a.FirstPassword)
	}
	err := a.Engine.Sudo(ctx, func(e *record.Env) error {
		if a.inFront() { // users of the Odoo may have these names
			return nil
		}
		users, err := business.DemoUsers(e)
		if len(users) > 0 {
			text += fmt.Sprintf("WARNING: demo users exist whose password is their login: %s. Archive them before others can reach this server.\n", strings.Join(users, ", "))
		}
		return err
	})
	_, printed := io.WriteString(w, text)
	return errors.Join(err, printed)
}

// requestLog writes one line per request to the process log.
type requestLog struct{ log *slog.Logger }

// Observe implements httpapi.Observer.
func (l requestLog) Observe(e *httpapi.Event) {
	level := slog.LevelDebug
	if e.Status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	if !l.log.Enabled(context.Background(), level) {
		return
	}
	attrs := []any{
		"request_id", e.RequestID, "method", e.Method, "path", e.Path, "status", e.Status,
		"ms", float64(e.Latency.Microseconds()) / 1000, "user", e.Login, "ip", e.IP,
	}
	if id := e.Trace.String(); id != "" {
		attrs = append(attrs, "trace_id", id)
	}
	if e.Cause != nil {
		attrs = append(attrs, "error", e.Cause.Error())
	}
	l.log.Log(context.Background(), level, "request", attrs...)
}
