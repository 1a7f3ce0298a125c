package traffic

import "math"

// Health is how well the server does, from 0 to 100.
type Health struct {
	Score int    `json:"score"`
	Level string `json:"level"` // good, fair or poor
}

// From these scores on, health is good or fair.
const (
	goodHealth = 80
	fairHealth = 50
)

// HealthOf scores traffic. From 100 are taken:
//   - 5 points for each percent of server errors, at most 60;
//   - a point for every 4 percent of the callers' own errors, at most 15: many
//     of them point to something, but not to a sick server;
//   - for the 95th percentile of latency nothing up to 250 ms, and from there
//     10 points each time that it doubles, at most 40.
//
// Without traffic, nothing is wrong.
func HealthOf(total, clientErrors, serverErrors int64, p95 *float64) Health {
	score := 100.0
	if total > 0 {
		score -= min(500*float64(serverErrors)/float64(total), 60)
		score -= min(25*float64(clientErrors)/float64(total), 15)
	}
	if p95 != nil && *p95 > 250 {
		score -= min(10*math.Log2(*p95/250), 40)
	}
	h := Health{Score: max(int(math.Round(score)), 0), Level: "poor"}
	switch {
	case h.Score >= goodHealth:
		h.Level = "good"
	case h.Score >= fairHealth:
		h.Level = "fair"
	}
	return h
}
