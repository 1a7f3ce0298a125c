package openapi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"gatehouse/internal/apidoc/apidoctest"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/openapi"
)

// small is a document with a bit of everything.
func small() *openapi.Document {
	id := openapi.Param{Name: "id", In: "path", Doc: "Id.", Schema: wire.RecordID("")}
	model := openapi.Param{Name: "model", In: "path", Doc: "Model.", Schema: wire.Text("").Like("res.partner")}
	method := openapi.Param{Name: "method", In: "path", Doc: "Method.", Schema: wire.Text("")}
	limit := openapi.Param{Name: "limit", In: "query", Doc: "Most.", Schema: wire.Whole("")}
	operation := func(method, path, id string, params ...openapi.Param) openapi.Operation {
		return openapi.Operation{
			Method: method, Path: path, PerModel: true, ID: id, Tag: "Records", Summary: id, Output: "it", Envelope: true,
			Data: wire.Named(openapi.Record), Errors: []string{"not_found"}, Access: openapi.Secured, Scope: "read", Params: params,
		}
	}
	create := operation("POST", "/api/{model}", "create", model, limit)
	create.Body, create.Statuses = wire.Named(openapi.Creates), []int{201}
	update := operation("PUT", "/api/{model}/{id}", "update", model, id)
	update.Body = wire.Named(openapi.Update)
	return &openapi.Document{
		Title: "T", Version: "1", Server: "http://example.com", TokenURL: "http://example.com/token",
		Tags: []openapi.Named{{Name: "Records", Doc: "All."}}, Scopes: []openapi.Named{{Name: "read", Doc: "Read."}},
		Errors:  []openapi.Error{{Type: "not_found", Status: 404, Doc: "nothing there"}, {Type: "unused", Status: 499, Doc: "never"}},
		Headers: []openapi.Header{{Name: "X-Request-Id", Schema: wire.Text("Id.")}, {Name: "RateLimit-Limit", Schema: wire.Whole("")}, {Name: "RateLimit-Remaining", Schema: wire.Whole("")}, {Name: "RateLimit-Reset", Schema: wire.Whole("")}},
		Schemas: append(wire.Links(),
			wire.Must(openapi.Record, wire.Object(wire.Must("id", wire.RecordID("")), wire.May("link", wire.Named("Link"))).Open("")),
			wire.Must(openapi.Create, wire.MapOf(wire.Anything(""), "")), wire.Must(openapi.Update, wire.MapOf(wire.Anything(""), "")),
			wire.Must(openapi.Creates, wire.Either("", wire.Named(openapi.Create), wire.ListOf(wire.Named(openapi.Create), ""))),
			wire.Must("Unused", wire.Text(""))),
		Operations: []openapi.Operation{
			operation("GET", "/api/{model}", "list", model, limit), create,
			operation("GET", "/api/{model}/{id}", "get", model, id), update,
			operation("POST", "/api/{model}/{method}", "call", model, method),
			operation("POST", "/api/{model}/{id}/{method}", "callRecord", model, id, method),
		},
	}
}

// paths decodes a document as far as tests look at it.
func paths(t *testing.T, raw []byte) map[string]map[string]struct {
	OperationID string `json:"operationId"`
	Parameters  []struct{ Name, In string }
} {
	t.Helper()
	var d struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Parameters  []struct{ Name, In string }
		}
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return d.Paths
}

func TestGenericDocument(t *testing.T) {
	for _, version := range []openapi.Version{openapi.V30, openapi.V31} {
		raw := small().JSON(version)
		if _, err := apidoctest.New(raw); err != nil {
			t.Errorf("%s: %v", version, err)
		}
		all := paths(t, raw)
		// To OpenAPI a path is what it is without the names of its placeholders.
		call := all["/api/{model}/{id}"]["post"]
		if len(all) != 3 || call.OperationID != "call" || len(call.Parameters) != 2 || call.Parameters[1].Name != "id" {
			t.Errorf("%s: %+v", version, all)
		}
		for _, word := range []string{"Unused", `"unused":{`, "Error499"} {
			if strings.Contains(string(raw), word) {
				t.Errorf("%s: what nothing refers to is in it: %s", version, word)
			}
		}
	}
}

func TestDocumentOfModels(t *testing.T) {
	d := small()
	record := wire.Object(wire.Must("id", wire.RecordID("")), wire.May("name", wire.Text("").OrNull()))
	d.Models = []openapi.Model{
		{
			Name: "a.b_c", Label: "First", Operations: []string{"list", "get", "create", "callRecord"},
			Record: record, Create: wire.Named("a.b_c-update"), Update: record,
			Methods: []openapi.Method{{Name: "action_go", Doc: "Goes.", Like: "callRecord"}, {Name: "find_all", Doc: "Finds.", OnModel: true, Like: "call"}, {Name: "x", Like: "nothing"}},
		},
		{Name: "a.b.c", Label: "Second", Operations: []string{"list"}, Record: record, Create: record, Update: record},
		{Name: "none", Label: "Third", Record: record},
	}
	for _, version := range []openapi.Version{openapi.V30, openapi.V31} {
		raw := d.JSON(version)
		if _, err := apidoctest.New(raw); err != nil {
			t.Errorf("%s: %v", version, err)
		}
		ids := map[string]bool{}
		got := map[string]bool{}
		for path, item := range paths(t, raw) {
			for method, op := range item {
				got[method+" "+path] = true
				if ids[op.OperationID] {
					t.Errorf("two operations are called %s", op.OperationID)
				}
				ids[op.OperationID] = true
			}
		}
		for _, want := range []string{
			"get /api/a.b_c", "post /api/a.b_c", "get /api/a.b_c/{id}", "post /api/a.b_c/{id}/{method}", "post /api/a.b_c/{id}/action_go",
			"post /api/a.b_c/find_all", "get /api/a.b.c",
		} {
			if !got[want] {
				t.Errorf("%s lacks %s", version, want)
			}
			delete(got, want)
		}
		if len(got) > 0 {
			t.Errorf("%s has more: %v", version, got)
		}
		if !ids["listABC"] || !ids["listABC2"] || !ids["actionGoABC"] {
			t.Errorf("ids %v", ids)
		}
		for _, name := range []string{`"a.b_c-creates":{`, `"a.b_c-update":{`, `"a.b.c":{`} {
			if !strings.Contains(string(raw), name) {
				t.Errorf("%s lacks the schema %s", version, name)
			}
		}
		if strings.Contains(string(raw), `"a.b.c-update":{`) || strings.Contains(string(raw), `"none"`+":{") {
			t.Errorf("%s has schemas that nothing refers to", version)
		}
	}
}

// Parameters of operations that no model has are left out: linters refuse
// components that nobody uses.
func TestUnusedParameters(t *testing.T) {
	d := small()
	only := d.Operations[0].Params[1]
	only.Name, only.In = "Range", "header"
	d.Operations[3].Params = append(d.Operations[3].Params, only) // of update
	d.Models = []openapi.Model{{Name: "a.b", Label: "AB", Operations: []string{"list", "get"}}}
	if raw := string(d.JSON(openapi.V31)); strings.Contains(raw, "RangeParam") || !strings.Contains(raw, "limitParam") {
		t.Errorf("%s", raw)
	}
	d.Models[0].Operations = append(d.Models[0].Operations, "update")
	if raw := string(d.JSON(openapi.V31)); !strings.Contains(raw, "RangeParam") {
		t.Errorf("%s", raw)
	}
}

// TestSchemas writes each kind of schema in both versions.
func TestSchemas(t *testing.T) {
	least, most := 1.0, 9.5
	for _, test := range []struct {
		schema   *wire.Schema
		v31, v30 string
	}{
		{wire.Anything("x"), `{"description":"x"}`, `{"description":"x"}`},
		{wire.Text("").OrNull(), `{"type":["string","null"]}`, `{"type":"string","nullable":true}`},
		{wire.Word("", "a", "b").OrNull(), `{"type":["string","null"],"enum":["a","b",null]}`, `{"type":"string","nullable":true,"enum":["a","b",null]}`},
		{wire.Text("").As("byte"), `{"type":"string","contentEncoding":"base64"}`, `{"type":"string","format":"byte"}`},
		{wire.Text("").As("binary"), `{"type":"string"}`, `{"type":"string","format":"binary"}`},
		{wire.Truth("").Like(true), `{"type":"boolean","examples":[true]}`, `{"type":"boolean","example":true}`},
		{
			&wire.Schema{Type: "number", Min: &least, Max: &most, Default: 2}, `{"type":"number","minimum":1,"maximum":9.5,"default":2}`,
			`{"type":"number","minimum":1,"maximum":9.5,"default":2}`,
		},
		{wire.Named("X"), `{"$ref":"#/components/schemas/X"}`, `{"$ref":"#/components/schemas/X"}`},
		{
			wire.Named("X").About("x"), `{"description":"x","$ref":"#/components/schemas/X"}`,
			`{"description":"x","allOf":[{"$ref":"#/components/schemas/X"}]}`,
		},
		{
			wire.Named("X").OrNull(), `{"oneOf":[{"$ref":"#/components/schemas/X"},{"type":"null"}]}`,
			`{"type":"object","nullable":true,"allOf":[{"$ref":"#/components/schemas/X"}]}`,
		},
		{
			wire.Either("", wire.Text(""), wire.Truth("")).OrNull(), `{"oneOf":[{"type":"string"},{"type":"boolean"},{"type":"null"}]}`,
			`{"oneOf":[{"type":"string","nullable":true},{"type":"boolean"}]}`,
		},
		{
			wire.Object(wire.Must("a", wire.Text("")), wire.May("b", wire.ListOf(wire.Truth(""), ""))),
			`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"array","items":{"type":"boolean"}}},"required":["a"]}`,
			`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"array","items":{"type":"boolean"}}},"required":["a"]}`,
		},
		{wire.MapOf(wire.Text(""), ""), `{"type":"object","additionalProperties":{"type":"string"}}`, `{"type":"object","additionalProperties":{"type":"string"}}`},
		{wire.Object().Open(""), `{"type":"object","additionalProperties":true}`, `{"type":"object","additionalProperties":true}`},
	} {
		d := small()
		d.Operations = d.Operations[:1]
		d.Operations[0].Data = test.schema
		d.Schemas = append(d.Schemas, wire.Must("X", wire.Object()))
		for version, want := range map[openapi.Version]string{openapi.V31: test.v31, openapi.V30: test.v30} {
			if raw := string(d.JSON(version)); !strings.Contains(raw, `"data":`+want+`}`) {
				_, after, _ := strings.Cut(raw, `"data":`)
				t.Errorf("%s: got  %.160s\nwant %s", version, after, want)
			}
		}
	}
}
