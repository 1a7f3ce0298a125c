package httpapi

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"gatehouse/internal/fault"
	"gatehouse/internal/traffic"
)

// silent is a Telemetry with nothing to tell, which remembers what it was asked.
type silent struct{ asked *[3]string }

func (s silent) Report(_ context.Context, span, caller, status string) (any, error) {
	*s.asked = [3]string{span, caller, status}
	return &traffic.Report{
		Range: "30d", Bucket: "day", Health: traffic.Health{Level: "good"}, Traffic: []traffic.Point{}, TopEndpoints: []traffic.EndpointCount{},
		SlowestEndpoints: []traffic.SlowEndpoint{}, TopIPs: []traffic.IPCount{}, Latency: []traffic.LabelCount{}, Methods: []traffic.MethodCount{},
		StatusClasses: map[string]int64{"2xx": 1, "3xx": 0, "4xx": 0, "5xx": 0, "429": 0}, Callers: []traffic.Caller{},
	}, nil
}

func (silent) Live(allowed func(context.Context) bool) (func(http.ResponseWriter, *http.Request), error) {
	if !allowed(context.Background()) {
		return nil, errors.New("not allowed although the pipeline has let it through")
	}
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusSwitchingProtocols) }, nil
}

func (silent) Metrics(context.Context) (text []byte, contentType string) {
	return []byte("up 1\n"), "text/plain"
}

func TestTelemetryRoutes(t *testing.T) {
	var asked [3]string
	h := newHouse(t, func(h *house) { h.deps.Telemetry, h.deps.PublicURL = silent{&asked}, "https://api.example.com" })
	h.send("all", "GET", "/api/v1/telemetry?range=30d&status=5xx", "").want(200, "")
	if asked != [3]string{"30d", "", "5xx"} {
		t.Errorf("asked %v", asked)
	}
	if a := h.send("all", "GET", "/metrics", ""); a.Code != 200 || a.Body.String() != "up 1\n" || a.header("Content-Type") != "text/plain" {
		t.Errorf("%d %v %s", a.Code, a.Header(), a.Body)
	}
	for _, path := range []string{"/api/v1/telemetry", "/api/v1/telemetry/live", "/metrics"} {
		h.send("read", "GET", path, "").want(403, "")
		h.send("user", "GET", path, "").want(403, "")
		h.send("", "GET", path, "").want(401, "")
	}
	upgrade := []string{"Connection", "keep-alive, Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "x"}
	live := func(more ...string) answer {
		return h.send("all", "GET", "/api/v1/telemetry/live", "", append(append([]string{}, upgrade...), more...)...)
	}
	for _, own := range [][]string{nil, {"Origin", "http://example.com"}, {"Origin", "https://EXAMPLE.com"}, {"Origin", "https://api.example.com"}} {
		live(own...).want(101, "")
		if e := h.events.last(); e.Status != 101 || e.BytesOut != 0 {
			t.Errorf("the event says %+v", e)
		}
	}
	for _, origin := range []string{"https://evil.example.com", "null", "", "http://api.example.com", "file://example.com", "http://example.com.evil.com"} {
		live("Origin", origin).wantError(403, fault.Forbidden, "Pages of another origin may not connect here")
	}
	for i := 0; i < len(upgrade); i += 2 {
		broken := append(append([]string{}, upgrade[:i]...), upgrade[i+2:]...)
		a := h.send("all", "GET", "/api/v1/telemetry/live", "", broken...)
		a.wantError(400, fault.BadRequest, "This is a WebSocket: connect to it as one (RFC 6455, version 13)")
	}
	h.send("all", "HEAD", "/api/v1/telemetry/live", "", upgrade...).want(400, "")
}
