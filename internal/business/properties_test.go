package business

import (
	"testing"

	"gatehouse/internal/fault"
)

func TestWriteProperties(t *testing.T) {
	stories(t, map[string]func(s *shop){
		"01 what the category describes": func(s *shop) {
			shelf := s.admin.create("product.category", vals{"name": "Described", "product_properties_definition": []any{
				map[string]any{"name": "colour", "type": "char", "string": "Colour", "default": "red"},
				map[string]any{"name": "size", "type": "selection", "string": "Size", "selection": []any{[]any{"s", "Small"}, []any{"l", "Large"}}},
				map[string]any{"name": "labels", "type": "tags", "string": "Labels", "tags": []any{[]any{"hot", "Hot", 1}}},
				map[string]any{"name": "about_html", "type": "html", "string": "About"},
			}})
			other := s.admin.create("product.category", vals{"name": "Plain"})
			has := func(want, name string, value any) {
				s.Helper()
				found := s.admin.find("product.template", both(leaf("name", "=", "Pr"), leaf("product_properties."+name, "=", value)))
				if got := map[bool]string{true: "yes", false: "no"}[len(found) == 1]; got != want {
					s.Errorf("%s = %v: %s, want %s", name, value, got, want)
				}
			}
			p := s.admin.create("product.template", vals{"name": "Pr", "categ_id": shelf})
			has("no", "colour", "red") // defaults come with a change of the category
			write := func(v any) { s.admin.write("product.template", p, vals{"product_properties": v}) }
			write(map[string]any{"colour": "blue", "labels": []any{"hot", "cold"}, "nosuch": 1, "about_html": "<script>x</script>hi"})
			has("yes", "colour", "blue")
			has("yes", "labels", []any{"hot"})
			has("no", "labels", []any{"cold"})
			has("no", "nosuch", 1)
			has("yes", "about_html", "<p>hi</p>")
			write(map[string]any{"size": "huge"})
			has("no", "colour", "blue") // the values are replaced as a whole
			has("no", "size", "huge")
			write([]any{map[string]any{"name": "size", "type": "selection", "value": "l"}})
			has("yes", "size", "l")
			s.admin.write("product.template", p, vals{"categ_id": shelf})
			has("yes", "size", "l")
			s.admin.write("product.template", p, vals{"categ_id": other})
			has("no", "size", "l")
			s.admin.write("product.template", p, vals{"categ_id": shelf})
			has("yes", "colour", "red")
			variant := s.admin.find("product.product", leaf("product_tmpl_id", "=", p))[0]
			s.admin.write("product.product", variant, vals{"product_properties": map[string]any{"size": "s"}})
			has("yes", "size", "s")
			s.admin.refusedWrite(fault.BadRequest, "product_properties", "product.template", p, vals{"product_properties": 5})
			s.admin.refusedWrite(fault.BadRequest, "change that instead", "product.template", p, vals{"product_properties": []any{
				map[string]any{"name": "size", "definition_changed": true},
			}})
			s.admin.refusedCreate(fault.BadRequest, "product_properties_definition", "product.category",
				vals{"name": "Odd", "product_properties_definition": []any{map[string]any{"name": "a", "type": "nosuch"}}})
		},
	})
}
