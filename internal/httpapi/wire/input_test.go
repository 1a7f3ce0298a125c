package wire

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/schema"
)

func testModel() *schema.Model {
	return schema.Prepare([]*schema.Model{{Name: "m", Fields: []*schema.Field{
		schema.NewChar("name", "Name"), schema.NewText("text", "Text"), schema.NewHTML("html", "HTML"),
		schema.NewBoolean("flag", "Flag"), schema.NewInteger("count", "Count"), schema.NewFloat("ratio", "Ratio", 2),
		schema.NewMonetary("amount", "Amount", "currency_id"), schema.NewDate("day", "Day"), schema.NewDatetime("moment", "Moment"),
		schema.NewSelection("state", "State", "draft", "Draft", "done", "Done", "0", "Low"), schema.NewSelection("free", "Free"),
		schema.NewBinary("image", "Image"), schema.NewJSON("extra", "Extra"), schema.NewMany2one("parent_id", "Parent", "m"),
		schema.NewOne2many("line_ids", "Lines", "m", "parent_id"), schema.NewMany2many("tag_ids", "Tags", "m", "r", "a", "b"),
		{Name: "origin", Type: schema.Reference},
		{Name: "res_id", Type: schema.Many2oneReference},
		schema.NewChar("secret", "Secret").Hidden(), schema.NewMany2many("hidden_ids", "Hidden", "gone", "r", "a", "b"),
	}}})[0]
}

func read(t *testing.T, body string) (backend.Values, error) {
	t.Helper()
	m := testModel()
	object, err := DecodeObject([]byte(body), false)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	r := &Reader{Comodel: func(name string) (*schema.Model, error) {
		if name == "gone" {
			return nil, fault.New(fault.Forbidden, "not yours")
		}
		return m, nil
	}}
	values := r.Record(m, object, "")
	return values, r.Err()
}

func cmd(code int64, rest ...any) []any { return append([]any{code}, rest...) }

func TestValuesAreRead(t *testing.T) {
	type v = map[string]any
	for body, want := range map[string]any{
		`{"name": "Acme"}`: "Acme", `{"name": ""}`: "", `{"name": null}`: nil, `{"name": false}`: nil, `{"name": 1.50}`: "1.50",
		`{"text": "a\nb"}`: "a\nb", `{"html": "<p>x</p>"}`: "<p>x</p>",
		`{"flag": true}`: true, `{"flag": false}`: false, `{"flag": 0}`: false, `{"flag": 1}`: true, `{"flag": null}`: false,
		`{"count": 5}`: int64(5), `{"count": -2147483648}`: int64(-2147483648), `{"count": 5.0}`: int64(5), `{"count": 5e2}`: int64(500), `{"count": null}`: nil,
		`{"ratio": 1.25}`: 1.25, `{"ratio": 7}`: 7.0, `{"amount": 1e3}`: 1000.0, `{"amount": null}`: nil,
		`{"day": "2026-01-31"}`: "2026-01-31", `{"day": "2024-02-29"}`: "2024-02-29", `{"day": null}`: nil, `{"day": false}`: nil, `{"day": ""}`: nil,
		`{"moment": "2026-01-31T10:30:00Z"}`:          "2026-01-31 10:30:00",
		`{"moment": "2026-01-31T10:30:00+02:00"}`:     "2026-01-31 08:30:00",
		`{"moment": "2026-01-31T23:30:00.999-01:30"}`: "2026-02-01 01:00:00",
		`{"moment": "2026-01-31 10:30:00"}`:           "2026-01-31 10:30:00",
		`{"moment": null}`:                            nil,
		`{"state": "done"}`:                           "done", `{"state": 0}`: "0", `{"state": null}`: nil, `{"state": false}`: nil, `{"state": ""}`: nil, `{"free": "anything"}`: "anything",
		`{"image": "aGVsbG8="}`: "aGVsbG8=", `{"image": null}`: nil, `{"image": false}`: nil,
		`{"extra": {"a": ["b"]}}`: v{"a": []any{"b"}}, `{"extra": null}`: nil,
		`{"parent_id": 7}`: int64(7), `{"parent_id": {"id": 7, "name": "x"}}`: int64(7), `{"parent_id": [7, "x"]}`: int64(7),
		`{"parent_id": null}`: nil, `{"parent_id": false}`: nil,
		`{"origin": "m,7"}`: "m,7", `{"origin": null}`: nil, `{"res_id": 7}`: int64(7),
		`{"tag_ids": [3, 1]}`:                               []any{cmd(6, int64(0), []any{int64(3), int64(1)})},
		`{"tag_ids": []}`:                                   []any{cmd(6, int64(0), []any{})},
		`{"tag_ids": null}`:                                 []any{cmd(5)},
		`{"tag_ids": false}`:                                []any{cmd(5)},
		`{"tag_ids": [{"id": 3}, 4]}`:                       []any{cmd(6, int64(0), []any{int64(3), int64(4)})},
		`{"tag_ids": [[6, 0, [1, 2]]]}`:                     []any{cmd(6, int64(0), []any{int64(1), int64(2)})},
		`{"tag_ids": [[6, false, []]]}`:                     []any{cmd(6, int64(0), []any{})},
		`{"tag_ids": [[4, 7], [3, 8, 0], [2, 9, false]]}`:   []any{cmd(4, int64(7)), cmd(3, int64(8)), cmd(2, int64(9))},
		`{"tag_ids": [[5], [5, 0, 0]]}`:                     []any{cmd(5), cmd(5)},
		`{"line_ids": [{"name": "a"}]}`:                     []any{cmd(0, int64(0), v{"name": "a"})},
		`{"line_ids": [{"id": null, "name": "a"}]}`:         []any{cmd(0, int64(0), v{"name": "a"})},
		`{"line_ids": [{"id": 3, "name": "a"}]}`:            []any{cmd(1, int64(3), v{"name": "a"})},
		`{"line_ids": [5, {"name": "a"}]}`:                  []any{cmd(6, int64(0), []any{int64(5)}), cmd(0, int64(0), v{"name": "a"})},
		`{"line_ids": [[0, 0, {"name": "a"}]]}`:             []any{cmd(0, int64(0), v{"name": "a"})},
		`{"line_ids": [[0, "virtual_1", {"name": "a"}]]}`:   []any{cmd(0, int64(0), v{"name": "a"})},
		`{"line_ids": [[1, 5, {"parent_id": {"id": 9}}]]}`:  []any{cmd(1, int64(5), v{"parent_id": int64(9)})},
		`{"line_ids": [{"line_ids": [{"flag": true}, 2]}]}`: []any{cmd(0, int64(0), v{"line_ids": []any{cmd(6, int64(0), []any{int64(2)}), cmd(0, int64(0), v{"flag": true})}})},
	} {
		values, err := read(t, body)
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		for _, got := range values {
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %#v, want %#v", body, got, want)
			}
		}
	}
}

func TestValuesAreRefused(t *testing.T) {
	const bad, refused = fault.BadRequest, fault.Unprocessable
	for _, test := range []struct {
		body    string
		kind    fault.Kind
		message string
	}{
		{`{"nme": 1}`, bad, "Unknown field: nme. Did you mean name?"},
		{`{"a b\u0000": 1}`, bad, `Unknown field: "a b\x00"`},
		{`{"secre": 1}`, bad, "Unknown field: secre"},
		{`{"name": true}`, bad, "name must be a text"},
		{`{"name": []}`, bad, "name must be a text"},
		{`{"name": "a\u0000b"}`, bad, "name must not contain NUL characters"},
		{`{"flag": "true"}`, bad, "flag must be a boolean (true or false)"},
		{`{"flag": 2}`, bad, "flag must be a boolean (true or false)"},
		{`{"count": "5"}`, bad, "count must be a whole number"},
		{`{"count": 5.5}`, bad, "count must be a whole number"},
		{`{"count": true}`, bad, "count must be a whole number"},
		{`{"count": false}`, bad, "count must be a whole number"},
		{`{"count": 2147483648}`, bad, "count must be between -2147483648 and 2147483647"},
		{`{"count": 99999999999999999999}`, bad, "count must be a whole number"},
		{`{"count": 1e400}`, bad, "count must be a whole number"},
		{`{"ratio": "1.5"}`, bad, "ratio must be a number"},
		{`{"ratio": 1e999}`, bad, "ratio is a number out of range"},
		{`{"amount": {}}`, bad, "amount must be a number"},
		{`{"day": "2026-02-30"}`, bad, "day must be a date like 2026-01-31"},
		{`{"day": "2026-1-31"}`, bad, "day must be a date like 2026-01-31"},
		{`{"day": "31/01/2026"}`, bad, "day must be a date like 2026-01-31"},
		{`{"day": "0000-01-01"}`, bad, "day must be a date like 2026-01-31"},
		{`{"day": 20260131}`, bad, "day must be a date like 2026-01-31"},
		{`{"day": true}`, bad, "day must be a date like 2026-01-31"},
		{`{"moment": "2026-01-31"}`, bad, "moment must be a moment like 2026-01-31T10:30:00Z, or 2026-01-31 10:30:00 in UTC"},
		{`{"moment": "2026-01-31T10:30:00"}`, bad, "moment must be a moment like 2026-01-31T10:30:00Z, or 2026-01-31 10:30:00 in UTC"},
		{`{"moment": "2026-01-31 25:00:00"}`, bad, "moment must be a moment like 2026-01-31T10:30:00Z, or 2026-01-31 10:30:00 in UTC"},
		{`{"moment": "9999-12-31T23:59:59-01:00"}`, bad, "moment must be a moment like 2026-01-31T10:30:00Z, or 2026-01-31 10:30:00 in UTC"},
		{`{"moment": 1769855400}`, bad, "moment must be a moment like 2026-01-31T10:30:00Z, or 2026-01-31 10:30:00 in UTC"},
		{`{"state": "sent"}`, refused, "state must be one of: draft, done, 0"},
		{`{"state": true}`, bad, "state must be a text"},
		{`{"image": "not base64!"}`, bad, "image must be base64 text"},
		{`{"image": 1}`, bad, "image must be base64 text"},
		{`{"extra": {"a": ["\u0000"]}}`, bad, "extra must not contain NUL characters"},
		{`{"extra": {"\u0000": 1}}`, bad, "extra must not contain NUL characters"},
		{`{"parent_id": "7"}`, bad, `parent_id must be the id of a record, {"id": …} or null`},
		{`{"parent_id": 0}`, bad, `parent_id must be the id of a record, {"id": …} or null`},
		{`{"parent_id": -1}`, bad, `parent_id must be the id of a record, {"id": …} or null`},
		{`{"parent_id": true}`, bad, `parent_id must be the id of a record, {"id": …} or null`},
		{`{"parent_id": {"name": "x"}}`, bad, `parent_id must be the id of a record, {"id": …} or null`},
		{`{"parent_id": [7]}`, bad, `parent_id must be the id of a record, {"id": …} or null`},
		{`{"origin": "m"}`, bad, "origin must be a model and an id like res.partner,7"},
		{`{"origin": "m,0"}`, bad, "origin must be a model and an id like res.partner,7"},
		{`{"res_id": "x"}`, bad, "res_id must be a whole number"},
		{`{"tag_ids": 5}`, bad, "tag_ids must be a list of ids, of objects or of Odoo commands"},
		{`{"tag_ids": "1,2"}`, bad, "tag_ids must be a list of ids, of objects or of Odoo commands"},
		{`{"tag_ids": true}`, bad, "tag_ids must be a list of ids, of objects or of Odoo commands"},
		{`{"tag_ids": [1, "2"]}`, bad, "tag_ids[1] must be the id of a record or an object"},
		{`{"tag_ids": [1, null]}`, bad, "tag_ids[1] must be the id of a record or an object"},
		{`{"tag_ids": [1, [4, 2]]}`, bad, "tag_ids[1] must be the id of a record or an object"},
		{`{"tag_ids": [{"id": "x"}]}`, bad, "tag_ids[0] must be the id of a record or an object"},
		{`{"tag_ids": [[4, 2], 1]}`, bad, "tag_ids[1] must be an Odoo command like [4, 7] or [6, 0, [7, 8]]"},
		{`{"tag_ids": [[]]}`, bad, "tag_ids[0] must be an Odoo command like [4, 7] or [6, 0, [7, 8]]"},
		{`{"tag_ids": [[7, 1]]}`, bad, "tag_ids[0] must be an Odoo command like [4, 7] or [6, 0, [7, 8]]"},
		{`{"tag_ids": [[-1, 1]]}`, bad, "tag_ids[0] must be an Odoo command like [4, 7] or [6, 0, [7, 8]]"},
		{`{"tag_ids": [["4", 1]]}`, bad, "tag_ids[0] must be an Odoo command like [4, 7] or [6, 0, [7, 8]]"},
		{`{"tag_ids": [[4]]}`, bad, "tag_ids[0] must be an Odoo command like [4, 7] or [6, 0, [7, 8]]"},
		{`{"tag_ids": [[4, 0]]}`, bad, "tag_ids[0] must be an Odoo command like [4, 7] or [6, 0, [7, 8]]"},
		{`{"tag_ids": [[6, 0]]}`, bad, "tag_ids[0] must be an Odoo command like [4, 7] or [6, 0, [7, 8]]"},
		{`{"tag_ids": [[6, 0, 5]]}`, bad, "tag_ids[0] must be an Odoo command like [4, 7] or [6, 0, [7, 8]]"},
		{`{"tag_ids": [[6, 0, ["a"]]]}`, bad, "tag_ids[0] must be an Odoo command like [4, 7] or [6, 0, [7, 8]]"},
		{`{"tag_ids": [[0, 0]]}`, bad, "tag_ids[0] must be an Odoo command like [4, 7] or [6, 0, [7, 8]]"},
		{`{"tag_ids": [[0, 0, [1]]]}`, bad, "tag_ids[0] must be an Odoo command like [4, 7] or [6, 0, [7, 8]]"},
		{`{"line_ids": [{"nme": "x"}]}`, bad, "Unknown field: line_ids[0].nme. Did you mean name?"},
		{`{"line_ids": [7, {"line_ids": [{"count": "x"}]}]}`, bad, "line_ids[1].line_ids[0].count must be a whole number"},
		{`{"line_ids": [[1, 5, {"count": "x"}]]}`, bad, "line_ids[0][2].count must be a whole number"},
		{`{"hidden_ids": [{"name": "x"}]}`, fault.Forbidden, "not yours"},
	} {
		_, err := read(t, test.body)
		f := fault.From(err)
		if err == nil || f.Kind != test.kind || f.Message != test.message {
			t.Errorf("%s: %s %q, want %s %q", test.body, f.Kind, f.Message, test.kind, test.message)
		}
	}
}

// TestAllProblemsAtOnce names every wrong field, and the first one in words.
func TestAllProblemsAtOnce(t *testing.T) {
	_, err := read(t, `{"count": "x", "flag": 7, "ratio": 1, "zzz": 1}`)
	f := fault.From(err)
	want := fault.FieldErrors{"count": "must be a whole number", "flag": "must be a boolean (true or false)", "zzz": "unknown field"}
	if f.Message != "count must be a whole number" || !reflect.DeepEqual(f.Details, want) {
		t.Errorf("%q %v", f.Message, f.Details)
	}
	var many Problems
	for i := range 100 {
		many.Add(fault.BadRequest, Element("x", i), "is wrong")
	}
	if got := fault.From(many.Err()).Details.(fault.FieldErrors); len(got) != maxProblems {
		t.Errorf("%d problems are told", len(got))
	}
	if err := (&Problems{}).Err(); err != nil {
		t.Error(err)
	}
}

func TestNamesInMessages(t *testing.T) {
	for in, want := range map[string]string{
		"partner_id.name": "partner_id.name", "": `""`, "a b": `"a b"`, "x\r\ny": `"x\r\ny"`, strings.Repeat("é", 100): `"` + strings.Repeat("é", 30) + `…"`,
	} {
		if got := Name(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestFail(t *testing.T) {
	r := &Reader{}
	first := errors.New("first")
	r.Fail(first)
	r.Fail(errors.New("second"))
	if !errors.Is(r.Err(), first) {
		t.Error(r.Err())
	}
}

func FuzzRecord(f *testing.F) {
	for _, seed := range []string{
		`{"name":"x","count":1,"tag_ids":[1,[4,2]],"line_ids":[{"id":1,"line_ids":[[0,0,{}]]}]}`,
		`{"parent_id":[1,"a"],"moment":"2026-01-31T10:30:00+02:00","image":"aGk=","extra":{"a":[1]},"origin":"m,1"}`,
	} {
		f.Add([]byte(seed))
	}
	m := testModel()
	f.Fuzz(func(t *testing.T, body []byte) {
		object, err := DecodeObject(body, false)
		if err != nil {
			return
		}
		r := &Reader{Comodel: func(string) (*schema.Model, error) { return m, nil }}
		values := r.Record(m, object, "")
		if err := r.Err(); err != nil {
			if kind := fault.From(err).Kind; kind != fault.BadRequest && kind != fault.Unprocessable {
				t.Fatal(err)
			}
			return
		}
		for name, v := range values { // what passes here must suit the engine too
			if field := m.Field(name); !field.Type.IsX2many() {
				if _, err := field.Convert(v); err != nil {
					t.Fatalf("%s = %#v: %v", name, v, err)
				}
			}
		}
	})
}
