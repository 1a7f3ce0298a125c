package httpapi

import "gatehouse/internal/httpapi/wire"

// telemetrySchema describes what the dashboard gets. Figures that need traffic
// are null where there was none.
func telemetrySchema() *wire.Schema {
	counts := func(names ...string) (all []wire.Member) {
		for _, name := range names {
			all = append(all, wire.Must(name, wire.Whole("")))
		}
		return all
	}
	figures := func(doc string, names ...string) (all []wire.Member) {
		for _, name := range names {
			all = append(all, wire.Must(name, wire.Number(doc).OrNull()))
		}
		return all
	}
	rows := func(name, of string, more ...wire.Member) wire.Member {
		return wire.Must(name, wire.ListOf(wire.Object(append([]wire.Member{wire.Must(of, wire.Text(""))}, more...)...), ""))
	}
	count := wire.Must("count", wire.Whole(""))
	kpis := counts("total_requests", "client_errors", "server_errors", "rate_limited", "active_callers", "distinct_ips", "bytes_out",
		"webhooks_pending", "webhooks_delivered", "webhooks_failed", "tokens_active", "throttles_active", "blocked_ips", "health")
	kpis = append(kpis, figures("Percent.", "success_rate", "error_rate")...)
	kpis = append(kpis, figures("Milliseconds.", "mean_ms", "p50_ms", "p95_ms", "p99_ms")...)
	kpis = append(kpis, figures("Of the last ten seconds.", "requests_per_second")...)
	return wire.Object(
		wire.Must("range", wire.Word("", "24h", "30d", "1y")),
		wire.Must("from", wire.Instant("")), wire.Must("to", wire.Instant("")),
		wire.Must("bucket", wire.Word("What a point of traffic stands for.", "hour", "day")),
		wire.Must("generated_at", wire.Instant("")),
		wire.Must("filters", wire.Object(wire.Must("caller", wire.Text("")), wire.Must("status", wire.Text("")))),
		wire.Must("kpis", wire.Object(kpis...)),
		rows("traffic", "at", counts("total", "errors", "rate_limited")...),
		rows("top_endpoints", "endpoint", count),
		wire.Must("health", wire.Object(wire.Must("score", wire.Whole("0 to 100.")), wire.Must("level", wire.Word("", "good", "fair", "poor")))),
		rows("slowest_endpoints", "endpoint", wire.Must("mean_ms", wire.Number("")), count),
		rows("top_ips", "ip", count), rows("latency", "label", count), rows("methods", "method", count),
		wire.Must("webhook_queue", wire.Object(counts("pending", "processing", "failed", "dead", "delivered")...)),
		wire.Must("status_classes", wire.Object(counts("2xx", "3xx", "4xx", "5xx", "429")...)),
		rows("callers", "id", wire.Must("name", wire.Text(""))),
	)
}

// frameSchema describes what the live stream sends.
func frameSchema() *wire.Schema {
	return wire.Object(wire.Must("type", wire.Word("", "hello", "tick", "fault"))).
		Open("Frames, once connected: the figures of each second, and each failed request.")
}
