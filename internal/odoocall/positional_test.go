package odoocall

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"

	"gatehouse/internal/fault"
)

func TestNamed(t *testing.T) {
	for _, test := range []struct {
		method     string
		positional string
		kwargs     string
		want       string // "" is refused
	}{
		{"search", `[[["a","=",1]], 5, 10, "id"]`, `{}`, `{"domain":[["a","=",1]],"offset":5,"limit":10,"order":"id"}`},
		{"search_read", `[[]]`, `{"fields":["name"],"limit":2}`, `{"domain":[],"fields":["name"],"limit":2}`},
		{"read", `[[1,2],["name"]]`, `{}`, `{"ids":[1,2],"fields":["name"]}`},
		{"read", `[]`, `{"ids":[1]}`, `{"ids":[1]}`},
		{"write", `[[1],{"name":"x"}]`, `{"context":{"lang":"fr_FR"}}`, `{"ids":[1],"vals":{"name":"x"},"context":{"lang":"fr_FR"}}`},
		{"create", `[{"name":"x"}]`, `{}`, `{"vals_list":{"name":"x"}}`},
		{"fields_get", `[[],["type"]]`, `null`, `{"allfields":[],"attributes":["type"]}`},
		{"read_group", `[[],["a:sum"],["b"]]`, `{"lazy":false}`, `{"domain":[],"fields":["a:sum"],"groupby":["b"],"lazy":false}`},
		{"copy", `[[1],{"name":"y"}]`, `{}`, `{"ids":[1],"default":{"name":"y"}}`},
		{"get_param", `["key"]`, `{}`, `{"key":"key"}`},
		{"action_confirm", `[[7]]`, `{"flag":true}`, `{"ids":[7],"flag":true}`},
		{"action_confirm", `[]`, `{}`, `{}`},
		{"action_confirm", `[[7], 1]`, `{}`, ``},
		{"search_count", `[[], 1, 2]`, `{}`, ``},
		{"search", `[[]]`, `{"domain":[]}`, ``},
	} {
		var positional []any
		var kwargs, want map[string]any
		for text, into := range map[string]any{test.positional: &positional, test.kwargs: &kwargs} {
			if err := json.Unmarshal([]byte(text), into); err != nil {
				t.Fatal(err)
			}
		}
		got, err := Named(test.method, positional, kwargs)
		if test.want == "" {
			if !fault.Is(err, fault.Unprocessable) || !errors.Is(err, ErrArguments) {
				t.Errorf("%s%s: %v %v", test.method, test.positional, got, err)
			}
			continue
		}
		if err := json.Unmarshal([]byte(test.want), &want); err != nil {
			t.Fatal(err)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s%s: %v %v; want %v", test.method, test.positional, got, err, want)
		}
	}
}

func TestReadsAndPrivates(t *testing.T) {
	for method, want := range map[string]bool{
		"search": true, "search_read": true, "read": true, "read_group": true, "web_read_group": true, "fields_get": true,
		"name_search": true, "default_get": true, "has_access": true, "copy_data": true, "create": false, "write": false,
		"unlink": false, "copy": false, "name_create": false, "action_confirm": false, "nosuch": false, "": false,
	} {
		if Reads(method) != want {
			t.Errorf("Reads(%s) is %t", method, !want)
		}
	}
	for method, want := range map[string]bool{"_search": true, "sudo": true, "browse": true, "search": false, "su": false, "": false} {
		if IsPrivate(method) != want {
			t.Errorf("IsPrivate(%s) is %t", method, !want)
		}
	}
}
