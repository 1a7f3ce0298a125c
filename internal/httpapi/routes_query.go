package httpapi

import (
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/identity"
)

// queryRoutes are those of the universal ones that work on many records at once.
func (s *Server) queryRoutes() []Route {
	const list = "/api/v1/{model}"
	route := func(method, pattern, summary string, action identity.Action, h handler, params ...Param) Route {
		return Route{
			Method: method, Pattern: pattern, Summary: summary, Access: Scoped, Action: action, Limiting: Counted,
			Params: append(params, contextParams()...), handler: h,
		}
	}
	domain := listParams()[0]
	most := Param{"max_affected", "integer", "Records that may be changed; if more are found, none is. Default: 1000."}

	patch := route("PATCH", list, "Changes all records that a domain finds, or none", identity.Write, with(s.readBulkWrite, s.writeMatching), domain, most)
	patch.Input, patch.Output = "an object of fields", "the ids of the changed records, and their count"
	patch.Doc = Doc{ID: "updateMatching", Tag: TagRecords, Body: wire.Named(SchemaUpdate), Data: affectedSchema(), Faults: []fault.Kind{fault.Conflict}}
	remove := route("DELETE", list, "Deletes all records that a domain finds, or none", identity.Delete, with(s.readBulk, s.deleteMatching), domain, most)
	remove.Output = "the ids of the deleted records, and their count"
	remove.Doc = Doc{ID: "deleteMatching", Tag: TagRecords, Data: affectedSchema(), Faults: []fault.Kind{fault.Conflict}}

	sums := route("GET", list+"/aggregate", "Counts and sums, by groups", identity.Read, with(s.readAggregate, s.aggregate), aggregateParams()...)
	sums.Output = "a list of groups: what they have in common, and the figures"
	sums.Doc = Doc{
		ID: "aggregateRecords", Tag: TagRecords,
		Data: wire.ListOf(wire.MapOf(wire.Anything(""), "A group: what its records have in common, and the figures, as they were asked for."), ""),
		Meta: wire.Object(wire.Must("total", wire.Whole("Groups there are.")), wire.Must("limit", wire.Whole("")),
			wire.Must("offset", wire.Whole("")), wire.Must("count", wire.Whole("Groups in this answer."))),
	}

	since := Param{"since", "string", "meta.next_cursor of the answer before. Without it: no changes, only the cursor of now."}
	limit := Param{"limit", "integer", "Changes at most."}
	changes := route("GET", list+"/changes", "Created, updated and deleted records since a cursor", identity.Read, with(s.readChanges, s.changes), since, limit, domain)
	changes.Output = "a list of id, action (created, updated, deleted) and at; meta.next_cursor and meta.more"
	changes.Doc = Doc{
		ID: "listChanges", Tag: TagRecords,
		Data: wire.ListOf(wire.Object(wire.Must("id", wire.RecordID("")),
			wire.Must("action", wire.Word("", "created", "updated", "deleted")), wire.Must("at", wire.Instant("When it was changed last."))), ""),
		Meta: wire.Object(wire.Must("next_cursor", wire.Text("The since to go on with.")), wire.Must("more", wire.Truth("There are more already.")),
			wire.Must("limit", wire.Whole("")), wire.Must("count", wire.Whole(""))),
		Faults: []fault.Kind{fault.Gone, fault.Unprocessable},
	}
	return []Route{patch, remove, sums, changes}
}

// affectedSchema describes what a change of many records answers.
func affectedSchema() *wire.Schema {
	return wire.Object(wire.Must("ids", wire.ListOf(wire.RecordID(""), "")), wire.Must("count", wire.Whole("")))
}
