package httpapi

import "context"

// Telemetry is what the API needs of package traffic.
type Telemetry interface {
	// Report is every figure and chart of a span of time (24h, 30d or 1y; "" is
	// the first), of one caller and one class of statuses; "" is all.
	Report(ctx context.Context, span, caller, status string) (any, error)
}

// telemetryRoutes are the dashboard's.
func (s *Server) telemetryRoutes() []Route {
	if s.deps.Telemetry == nil {
		return nil
	}
	return []Route{
		{
			Method: "GET", Pattern: "/api/v1/telemetry", Access: AdminOnly, Limiting: Counted, handler: bare(s.telemetry),
			Summary: "Every figure and chart of the dashboard", Output: "kpis and charts",
			Params: []Param{
				{"range", "string", "24h, 30d or 1y. Default: 24h."},
				{"caller", "string", "Only of one caller: user:2, key:3, client:4 or anonymous."},
				{"status", "string", "Only of one class: 2xx, 3xx, 4xx (without 429), 5xx or 429."},
			},
			Doc: Doc{ID: "telemetry", Tag: TagTraffic, Data: telemetrySchema()},
		},
	}
}

// telemetry answers everything that the dashboard shows.
func (s *Server) telemetry(c *call) (reply, error) {
	report, err := s.deps.Telemetry.Report(c.ctx, c.params.value("range"), c.params.value("caller"), c.params.value("status"))
	return reply{data: report}, err
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
