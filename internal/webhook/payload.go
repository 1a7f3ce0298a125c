package webhook

import (
	"time"

	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/record"
)

// payload is the body of the call for an event. It is kept as it is: what is
// sent again has the same bytes.
func payload(ev *record.Event, id string, at time.Time) []byte {
	out := append(make([]byte, 0, len(ev.Record)+len(ev.Changed)+192), `{"action":`...)
	out = wire.AppendString(out, ev.Action)
	out = wire.AppendString(append(out, `,"model":`...), ev.Model)
	out = append(append(out, `,"record":`...), ev.Record...)
	if ev.Changed != nil {
		out = append(append(out, `,"changed":`...), ev.Changed...)
	}
	out = wire.AppendString(append(out, `,"event_id":`...), id)
	out = append(out, `,"timestamp":"`...)
	out = at.UTC().AppendFormat(out, time.RFC3339)
	return append(out, `"}`...)
}
