package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
)

// Telemetry is what the API needs of package traffic.
type Telemetry interface {
	// Report is every figure and chart of a span of time (24h, 30d or 1y; "" is
	// the first), of one caller and one class of statuses; "" is all.
	Report(ctx context.Context, span, caller, status string) (any, error)
	// Live admits one who watches. serve takes his connection over and returns
	// when it is at its end; allowed is asked time and again.
	Live(allowed func(context.Context) bool) (serve func(http.ResponseWriter, *http.Request), err error)
	// Metrics are those of this process, in Prometheus' text format.
	Metrics(ctx context.Context) (text []byte, contentType string)
}

// TelemetryPath is where all routes of the dashboard's figures are.
const TelemetryPath = "/api/v1/telemetry"

// telemetryRoutes are the dashboard's, and that of Prometheus.
func (s *Server) telemetryRoutes() []Route {
	if s.deps.Telemetry == nil {
		return nil
	}
	return []Route{
		{
			Method: "GET", Pattern: TelemetryPath, Access: AdminOnly, Limiting: Counted, handler: bare(s.telemetry),
			Summary: "Every figure and chart of the dashboard", Output: "kpis and charts",
			Params: []Param{
				{"range", "string", "24h, 30d or 1y. Default: 24h."},
				{"caller", "string", "Only of one caller: user:2, key:3, client:4 or anonymous."},
				{"status", "string", "Only of one class: 2xx, 3xx, 4xx (without 429), 5xx or 429."},
			},
			Doc: Doc{ID: "telemetry", Tag: TagTraffic, Data: telemetrySchema()},
		},
		{
			Method: "GET", Pattern: TelemetryPath + "/live", Access: AdminOnly, Limiting: Counted, handler: bare(s.live),
			Summary: "A WebSocket that tells the figures of each second, and failed requests", Output: "frames of JSON",
			Doc: Doc{
				ID: "telemetryLive", Tag: TagTraffic, Statuses: []int{http.StatusSwitchingProtocols}, Faults: []fault.Kind{fault.Unavailable},
				Also: []Media{{"application/json", frameSchema()}},
			},
		},
		{
			Method: "GET", Pattern: "/metrics", Access: AdminOnly, Limiting: Counted, handler: bare(s.metrics),
			Summary: "Metrics of this process for Prometheus", Output: "Prometheus' text format",
			Doc: Doc{ID: "metrics", Tag: TagSystem, Also: []Media{{"text/plain", wire.Text("Prometheus' text format, version 0.0.4.")}}},
		},
	}
}

// telemetry answers everything that the dashboard shows.
func (s *Server) telemetry(c *call) (reply, error) {
	report, err := s.deps.Telemetry.Report(c.ctx, c.params.value("range"), c.params.value("caller"), c.params.value("status"))
	return reply{data: report}, err
}

// metrics answers Prometheus.
func (s *Server) metrics(c *call) (reply, error) {
	text, contentType := s.deps.Telemetry.Metrics(c.ctx)
	return reply{raw: text, text: contentType}, nil
}

// live opens a WebSocket. Browsers let pages of any origin open one, so an
// origin that is told must be this server's own.
func (s *Server) live(c *call) (reply, error) {
	h := c.r.Header
	if c.r.Method != http.MethodGet || !hasToken(h, "Connection", "upgrade") || !hasToken(h, "Upgrade", "websocket") ||
		h.Get("Sec-WebSocket-Version") != "13" || h.Get("Sec-WebSocket-Key") == "" {
		return reply{}, fault.New(fault.BadRequest, "This is a WebSocket: connect to it as one (RFC 6455, version 13)")
	}
	if !s.ownOrigin(c.r) {
		return reply{}, fault.New(fault.Forbidden, "Pages of another origin may not connect here")
	}
	if c.r.ContentLength != 0 {
		return reply{}, fault.New(fault.BadRequest, "A request for a WebSocket has no body")
	}
	again := call{r: c.r, ip: c.ip, route: c.route}
	serve, err := s.deps.Telemetry.Live(func(ctx context.Context) bool { return s.stillAllowed(ctx, again) })
	return reply{upgrade: serve}, err
}

// stillAllowed asks again what the pipeline asked at the beginning.
func (s *Server) stillAllowed(ctx context.Context, c call) bool {
	c.ctx, c.settings, c.caller = ctx, s.deps.Settings.Current(), &backend.Caller{}
	c.event.Time = s.deps.Clock.Now()
	return s.identify(&c) == nil && s.authorize(&c) == nil && c.who != nil && c.who.AllowedFrom(c.ip)
}

// ownOrigin says whether a request comes from a page of this server, or from no
// page.
func (s *Server) ownOrigin(r *http.Request) bool {
	values := r.Header["Origin"]
	if len(values) == 0 {
		return true
	}
	origin, err := url.Parse(values[0])
	if err != nil || len(values) > 1 || origin.Host == "" || origin.Scheme != "http" && origin.Scheme != "https" {
		return false
	}
	if strings.EqualFold(origin.Host, r.Host) {
		return true
	}
	public, err := url.Parse(s.deps.PublicURL)
	return err == nil && public.Host != "" && strings.EqualFold(origin.Scheme, public.Scheme) && strings.EqualFold(origin.Host, public.Host)
}

// hasToken looks for a word in a header that lists some.
func hasToken(h http.Header, name, word string) bool {
	for _, value := range h.Values(name) {
		for token := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(token), word) {
				return true
			}
		}
	}
	return false
}

// value is a parameter of a route that parseParams knows nothing more of.
func (p *params) value(name string) string {
	for _, f := range p.filters {
		if f.name == name {
			return f.value
		}
	}
	return ""
}
