package httpapi

import (
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
	remove := route("DELETE", list, "Deletes all records that a domain finds, or none", identity.Delete, with(s.readBulk, s.deleteMatching), domain, most)
	remove.Output = "the ids of the deleted records, and their count"

	sums := route("GET", list+"/aggregate", "Counts and sums, by groups", identity.Read, with(s.readAggregate, s.aggregate), aggregateParams()...)
	sums.Output = "a list of groups: what they have in common, and the figures"

	since := Param{"since", "string", "meta.next_cursor of the answer before. Without it: no changes, only the cursor of now."}
	limit := Param{"limit", "integer", "Changes at most."}
	changes := route("GET", list+"/changes", "Created, updated and deleted records since a cursor", identity.Read, with(s.readChanges, s.changes), since, limit, domain)
	changes.Output = "a list of id, action (created, updated, deleted) and at; meta.next_cursor and meta.more"
	return []Route{patch, remove, sums, changes}
}
