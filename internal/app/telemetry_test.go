package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestTelemetry looks at the answer that the dashboard is drawn from.
func TestTelemetry(t *testing.T) {
	_, h := start(t)
	_, login := send(t, h, "POST", "/api/v1/auth/login", `{"login":"admin","password":"secret"}`)
	bearer := "Bearer " + login["data"].(map[string]any)["access_token"].(string)
	for path, want := range map[string]int{"/api/v1/res.partner": 200, "/api/v1/res.partner/987654": 404, "/api/v1/ping": 200} {
		if status, _ := send(t, h, "GET", path, "", "Authorization", bearer); status != want {
			t.Fatalf("%s: %d", path, status)
		}
	}
	if status, _ := send(t, h, "GET", "/api/v1/telemetry", ""); status != 401 {
		t.Errorf("without a credential: %d", status)
	}
	for path, word := range map[string]string{"?range=2h": "range", "?caller=x": "caller", "?status=1": "status", "?rnge=24h": "rnge"} {
		if status, answer := send(t, h, "GET", "/api/v1/telemetry"+path, "", "Authorization", bearer); status != 400 {
			t.Errorf("%s: %d %v (%s)", path, status, answer, word)
		}
	}
	status, answer := send(t, h, "GET", "/api/v1/telemetry?range=24h&caller=user:2", "", "Authorization", bearer)
	if status != 200 {
		t.Fatalf("telemetry: %d %v", status, answer)
	}
	data := answer["data"].(map[string]any)
	for _, name := range []string{
		"range", "from", "to", "bucket", "generated_at", "filters", "kpis", "traffic", "top_endpoints", "health", "slowest_endpoints",
		"top_ips", "latency", "methods", "webhook_queue", "status_classes", "callers",
	} {
		if data[name] == nil {
			t.Errorf("the answer has no %s", name)
		}
	}
	kpis := data["kpis"].(map[string]any)
	if kpis["total_requests"] != 8.0 || kpis["client_errors"] != 5.0 || kpis["active_callers"] != 1.0 || kpis["tokens_active"] == 0.0 {
		t.Errorf("kpis: %v", kpis)
	}
	callers := data["callers"].([]any)
	if len(callers) != 2 || callers[0].(map[string]any)["name"] != "admin" {
		t.Errorf("callers: %v", callers)
	}
}

// TestDashboardDoesNotWatchItself: what an open page asks for is no traffic,
// unless it fails; what a program asks for is.
func TestDashboardDoesNotWatchItself(t *testing.T) {
	_, h := start(t)
	r := httptest.NewRequest(http.MethodPost, "/api/v1/auth/session", strings.NewReader(`{"login":"admin","password":"secret"}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	page := []string{"Cookie", strings.Split(w.Header().Get("Set-Cookie"), ";")[0], "Sec-Fetch-Site", "same-origin"}
	total := func() float64 {
		t.Helper()
		status, answer := send(t, h, "GET", "/api/v1/telemetry", "", page...)
		if status != 200 {
			t.Fatalf("telemetry: %d %v", status, answer)
		}
		return answer["data"].(map[string]any)["kpis"].(map[string]any)["total_requests"].(float64)
	}
	before := total()
	if again := total(); again != before {
		t.Errorf("a look at the dashboard made %v of %v requests", again, before)
	}
	send(t, h, "GET", "/api/v1/telemetry?range=2h", "", page...)
	send(t, h, "GET", "/api/v1/ping", "", page...)
	if after := total(); after != before+2 {
		t.Errorf("%v requests, want %v: failures and other routes count", after, before+2)
	}
}
