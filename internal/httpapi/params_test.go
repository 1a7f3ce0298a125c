package httpapi

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"gatehouse/internal/backend"
	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
	"gatehouse/internal/setting"
)

func testSettings() *setting.Settings {
	return &setting.Settings{DefaultGetLimit: 80, MaxGetLimit: 1000}
}

func pagedParams() []Param {
	return append(listParams(), Param{Name: "page"}, Param{Name: "per_page"}, Param{Name: "search"}, Param{Name: "colour"})
}

func TestParams(t *testing.T) {
	plain := params{limit: 80}
	with := func(change func(*params)) params { p := plain; change(&p); return p }
	for query, want := range map[string]params{
		"":                                plain,
		"&&":                              plain,
		"limit=5&offset=10":               with(func(p *params) { p.limit, p.most, p.offset = 5, 5, 10 }),
		"limit=0":                         with(func(p *params) { p.limit = 1000 }),
		"limit=1001":                      with(func(p *params) { p.limit, p.most = 1000, 1001 }),
		"limit=007":                       with(func(p *params) { p.limit, p.most = 7, 7 }),
		"domain=":                         plain,
		"domain=[('a','=',1)]":            with(func(p *params) { p.domain = "[('a','=',1)]" }),
		"domain=%5B%5D+x":                 with(func(p *params) { p.domain = "[] x" }),
		"order=+name+desc+":               with(func(p *params) { p.order = "name desc" }),
		"fields=":                         plain,
		"fields=name,email":               with(func(p *params) { p.fields = []string{"id", "name", "email"} }),
		"fields=name,+id,name":            with(func(p *params) { p.fields = []string{"id", "name"} }),
		"fields=['name',%20%22email%22]":  with(func(p *params) { p.fields = []string{"id", "name", "email"} }),
		"fields=country_id.code":          with(func(p *params) { p.fields = []string{"id", "country_id.code"} }),
		"count=none":                      with(func(p *params) { p.uncounted = true }),
		"count=exact":                     with(func(p *params) { p.counted = true }),
		"cursor=":                         with(func(p *params) { p.following = true }),
		"cursor=abc":                      with(func(p *params) { p.cursor, p.following, p.uncounted = "abc", true, true }),
		"cursor=abc&count=exact&offset=0": with(func(p *params) { p.cursor, p.following, p.counted = "abc", true, true }),
		"values=odoo":                     with(func(p *params) { p.shape = wire.Odoo }),
		"values=plain":                    plain,
		"active_test=false":               with(func(p *params) { p.context.KeepArchived = true }),
		"active_test=1":                   plain,
		"lang=fr_FR&tz=UTC":               with(func(p *params) { p.context = backend.Context{Lang: "fr_FR", TZ: "UTC"} }),
		"lang=sr@latin&tz=":               with(func(p *params) { p.context.Lang = "sr@latin" }),
		"company_ids=2,1":                 with(func(p *params) { p.context.CompanyIDs = []int64{2, 1} }),
		"company_ids=[3]":                 with(func(p *params) { p.context.CompanyIDs = []int64{3} }),
		"company_ids=":                    plain,
		"page=3":                          with(func(p *params) { p.limit, p.offset, p.number, p.size = 80, 160, 3, 80 }),
		"page=2&per_page=10":              with(func(p *params) { p.limit, p.most, p.offset, p.number, p.size = 10, 10, 10, 2, 10 }),
		"per_page=5000":                   with(func(p *params) { p.limit, p.most, p.number, p.size = 1000, 5000, 1, 1000 }),
		"search=+desk+":                   with(func(p *params) { p.search = "desk" }),
		"colour=red":                      with(func(p *params) { p.filters = []filter{{"colour", "red"}} }),
	} {
		got, err := parseParams(query, pagedParams(), testSettings())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v\nwant %+v", query, got, err, want)
		}
	}
}

func TestParamsAreRefused(t *testing.T) {
	const whole0, whole1 = "must be a whole number of at least 0", "must be a whole number of at least 1"
	for query, message := range map[string]string{
		"limt=5":                          "Unknown parameter: limt. Did you mean limit?",
		"zzzzzzzz=1":                      "Unknown parameter: zzzzzzzz",
		"=1":                              `Unknown parameter: ""`,
		"a%20b%0d%0a=1":                   `Unknown parameter: "a b\r\n"`,
		"Limit=1":                         "Unknown parameter: Limit. Did you mean limit?",
		"limit=1&limit=2":                 "Invalid parameter limit: is given more than once",
		"colour=a&colour=a":               "Invalid parameter colour: is given more than once",
		"limit=":                          "Invalid parameter limit: " + whole0,
		"limit":                           "Invalid parameter limit: " + whole0,
		"limit=-1":                        "Invalid parameter limit: " + whole0,
		"limit=%2B1":                      "Invalid parameter limit: " + whole0,
		"limit=1.5":                       "Invalid parameter limit: " + whole0,
		"limit=1e3":                       "Invalid parameter limit: " + whole0,
		"limit=0x10":                      "Invalid parameter limit: " + whole0,
		"limit=+1":                        "Invalid parameter limit: " + whole0,
		"limit=1_000":                     "Invalid parameter limit: " + whole0,
		"limit=%D9%A3":                    "Invalid parameter limit: " + whole0,
		"limit=99999999999999999999":      "Invalid parameter limit: " + whole0,
		"offset=-5":                       "Invalid parameter offset: " + whole0,
		"offset=ten":                      "Invalid parameter offset: " + whole0,
		"offset=1000000000001":            "Invalid parameter offset: is too large",
		"offset=9223372036854775808":      "Invalid parameter offset: " + whole0,
		"page=0":                          "Invalid parameter page: " + whole1,
		"page=9223372036854775807":        "Invalid parameter page: is too large",
		"page=999999999999&per_page=1000": "Invalid parameter page: is too large",
		"per_page=0":                      "Invalid parameter per_page: " + whole1,
		"page=1&limit=5":                  "Use either page and per_page, or limit and offset, not both",
		"per_page=1&offset=5":             "Use either page and per_page, or limit and offset, not both",
		"count=all":                       "Invalid parameter count: must be exact or none",
		"values=raw":                      "Invalid parameter values: must be plain or odoo",
		"active_test=maybe":               "Invalid parameter active_test: must be true or false",
		"active_test=":                    "Invalid parameter active_test: must be true or false",
		"lang=fr-FR":                      "Invalid parameter lang: must be a language code like fr_FR",
		"lang=" + strings.Repeat("a", 17): "Invalid parameter lang: must be a language code like fr_FR",
		"tz=Mars/Olympus":                 "Invalid parameter tz: must be a time zone like Europe/Brussels",
		"tz=Local":                        "Invalid parameter tz: must be a time zone like Europe/Brussels",
		"tz=../../etc/passwd":             "Invalid parameter tz: must be a time zone like Europe/Brussels",
		"tz=/etc/localtime":               "Invalid parameter tz: must be a time zone like Europe/Brussels",
		"company_ids=a":                   "Invalid parameter company_ids: must be a list of ids like 1,2",
		"company_ids=0":                   "Invalid parameter company_ids: must be a list of ids like 1,2",
		"company_ids=-1":                  "Invalid parameter company_ids: must be a list of ids like 1,2",
		"company_ids=1,,2":                "Invalid parameter company_ids: must be a list of ids like 1,2",
		"company_ids=99999999999":         "Invalid parameter company_ids: must be a list of ids like 1,2",
		"fields=a,,b":                     `Invalid parameter fields: holds "", which is no name of a field`,
		"fields=na%20me":                  `Invalid parameter fields: holds "na me", which is no name of a field`,
		"fields=name;drop":                `Invalid parameter fields: holds "name;drop", which is no name of a field`,
		"fields=*":                        `Invalid parameter fields: holds "*", which is no name of a field`,
		"fields=" + strings.Repeat("a,", 500) + "a": "Invalid parameter fields: names more than 500 fields",
		"domain=%zz":    "Invalid parameter domain: is not valid percent-encoding",
		"domain=%ff":    "Invalid parameter domain: is not valid UTF-8",
		"domain=a%00b":  "Invalid parameter domain: must not contain NUL characters",
		"search=%00":    "Invalid parameter search: must not contain NUL characters",
		"colour=%c3%28": "Invalid parameter colour: is not valid UTF-8",
		"%zz=1":         `The name of a parameter is not valid percent-encoded UTF-8: "%zz"`,
		"%ff=1":         `The name of a parameter is not valid percent-encoded UTF-8: "%ff"`,
	} {
		_, err := parseParams(query, pagedParams(), testSettings())
		f := fault.From(err)
		if err == nil || f.Kind != fault.BadRequest || f.Message != message {
			t.Errorf("%.60s: %s %q\nwant %q", query, f.Kind, f.Message, message)
		}
	}
	_, err := parseParams("limt=1", listParams(), testSettings())
	allowed := fault.From(err).Details.(map[string]any)["allowed"].([]string)
	if len(allowed) != len(listParams()) || allowed[0] != "domain" {
		t.Errorf("allowed are %v", allowed)
	}
}

func FuzzParams(f *testing.F) {
	for _, seed := range []string{"domain=[]&limit=5&offset=1", "page=2&per_page=9", "fields=a,b.c&company_ids=[1,2]", "%ff=%00&&=&lang=x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		p, err := parseParams(query, pagedParams(), testSettings())
		if err != nil {
			if fl := fault.From(err); fl.Kind != fault.BadRequest || !utf8.ValidString(fl.Message) || len(fl.Message) > 500 {
				t.Fatalf("%q: %v", query, err)
			}
			return
		}
		if p.limit < 1 || p.limit > 1000 || p.offset < 0 || p.offset > maxOffset || strings.IndexByte(p.domain, 0) >= 0 {
			t.Fatalf("%q: %+v", query, p)
		}
		if _, err := url.ParseQuery(strings.ReplaceAll(query, ";", "")); err != nil {
			t.Fatalf("%q was taken: %v", query, err)
		}
	})
}
