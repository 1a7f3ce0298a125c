package app

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/httpapi"
	"gatehouse/internal/identity"
	"gatehouse/internal/sqldb"
	"gatehouse/internal/traffic"
	"gatehouse/internal/webhook"
)

// observer hands requests on to package traffic, which knows nothing of the API.
type observer struct {
	traffic *traffic.Recorder
	steps   []string
}

// Observe implements httpapi.Observer. The dashboard does not watch itself: an
// open page would ask on because of what it asked.
func (o observer) Observe(e *httpapi.Event) {
	if e.Credential == identity.Session && strings.HasPrefix(e.Route, httpapi.TelemetryPath) && e.Status < http.StatusBadRequest {
		return
	}
	event := traffic.Event{
		Time: e.Time, RequestID: e.RequestID, TraceID: e.Trace.String(), Method: e.Method, Path: e.Path, Route: e.Route, Model: e.Model, Query: e.Query,
		Status: e.Status, Latency: e.Latency, Steps: e.Steps[:], StepNames: o.steps, BytesIn: e.BytesIn, BytesOut: e.BytesOut,
		IP: e.IP, UserAgent: e.UserAgent, UserID: e.UserID, Login: e.Login, Credential: string(e.Credential),
		CredentialID: e.CredentialID, LogLevel: e.LogLevel, ErrorType: e.ErrorType, ErrorMessage: e.ErrorMessage,
		Cause: e.Cause, Stack: e.Stack, Header: e.Header, RequestBody: e.RequestBody, ResponseBody: e.ResponseBody,
	}
	o.traffic.Observe(&event)
}

// observers are those who learn of every request.
func (a *App) observers() observers {
	names := httpapi.StepNames()
	all := observers{requestLog{a.Log}, observer{a.Traffic, names[:]}}
	if a.tracer != nil {
		all = append(all, newTraceObserver(a.tracer, string(a.Config.Server.PublicURL), names[:]))
	}
	return all
}

// telemetry answers the dashboard.
type telemetry struct{ traffic *traffic.Recorder }

// Report implements httpapi.Telemetry.
func (t telemetry) Report(ctx context.Context, span, caller, status string) (any, error) {
	return t.traffic.Report(ctx, traffic.Question{Range: span, Caller: caller, Status: status})
}

// Live implements httpapi.Telemetry.
func (t telemetry) Live(allowed func(context.Context) bool) (func(http.ResponseWriter, *http.Request), error) {
	return t.traffic.Live(allowed)
}

// Metrics implements httpapi.Telemetry.
func (t telemetry) Metrics(ctx context.Context) (text []byte, contentType string) {
	return t.traffic.Metrics(ctx)
}

// trafficHouse is what telemetry tells of the rest of Gatehouse.
type trafficHouse struct{}

// Counts implements traffic.House.
func (trafficHouse) Counts(ctx context.Context, q sqldb.Querier) (c traffic.Counts, err error) {
	now := q.Dialect().Now()
	number := func(into *int64) func(sqldb.Row) error {
		return func(r sqldb.Row) error {
			*into = r.Int(0)
			return nil
		}
	}
	states := map[string]*int64{
		webhook.Pending: &c.Webhooks.Pending, webhook.Processing: &c.Webhooks.Processing, webhook.Done: &c.Webhooks.Delivered,
		webhook.Failed: &c.Webhooks.Failed, webhook.Dead: &c.Webhooks.Dead,
	}
	err = q.Batch(ctx, []sqldb.Stmt{
		{SQL: `select state, count(*) from gateway_webhook_job group by state`, Each: func(r sqldb.Row) error {
			if into := states[r.Text(0)]; into != nil {
				*into = r.Int(1)
			}
			return nil
		}},
		{
			SQL:  `select count(*) from gateway_token where revoked_at is null and used_at is null and expires_at > ` + now,
			Each: number(&c.TokensActive),
		},
		{SQL: `select count(*) from gateway_throttle where window_end > ` + now, Each: number(&c.ThrottlesActive)},
		{
			SQL:  `select count(*) from gateway_block where active and (until is null or until > ` + now + `)`,
			Each: number(&c.BlockedIP),
		},
	})
	return c, err
}

// Names implements traffic.House.
func (trafficHouse) Names(ctx context.Context, q sqldb.Querier, callers []string) (map[string]string, error) {
	names, ids := map[string]string{}, map[string][]int64{}
	for _, caller := range callers {
		kind, number, _ := strings.Cut(caller, ":")
		if id, err := strconv.ParseInt(number, 10, 64); err == nil {
			ids[kind] = append(ids[kind], id)
		}
	}
	for kind, sql := range map[string]string{
		"user": `select id, login from res_users where `, "key": `select id, name from gateway_key where `,
		"client": `select id, name from gateway_client where `,
	} {
		if ids[kind] == nil {
			continue
		}
		err := q.Query(ctx, sql+q.Dialect().In("id", "$1", true), []any{ids[kind]}, func(r sqldb.Row) error {
			names[kind+":"+strconv.FormatInt(r.Int(0), 10)] = r.Text(1)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

// observers shows each request to several.
type observers []httpapi.Observer

// Observe implements httpapi.Observer.
func (all observers) Observe(e *httpapi.Event) {
	for _, o := range all {
		o.Observe(e)
	}
}

// inventTraffic writes the traffic of a year, of the users and credentials
// there are.
func inventTraffic(ctx context.Context, db sqldb.DB) error {
	ids := [3][]int64{}
	err := db.Read(ctx, func(q sqldb.Querier) error {
		for i, sql := range []string{
			`select id from res_users where active and not share and id > 1 order by id limit 4`,
			`select id from gateway_key where active order by id limit 5`,
			`select id from gateway_client where active order by id limit 3`,
		} {
			err := q.Query(ctx, sql, nil, func(r sqldb.Row) error {
				ids[i] = append(ids[i], r.Int(0))
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return traffic.Demo(ctx, db, time.Now(), ids[0], ids[1], ids[2])
}
