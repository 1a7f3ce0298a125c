package odoo

import (
	"encoding/json"
)

// text is a text of which Odoo writes false where there is none.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(raw []byte) error {
	*t = ""
	if len(raw) == 0 || raw[0] != '"' {
		return nil
	}
	return json.Unmarshal(raw, (*string)(t))
}

// ref is the id of a many2one, which comes as false or with a name.
type ref int64

// UnmarshalJSON implements json.Unmarshaler.
func (r *ref) UnmarshalJSON(raw []byte) error {
	*r = 0
	var pair []json.RawMessage
	if json.Unmarshal(raw, &pair) == nil && len(pair) > 0 {
		raw = pair[0]
	}
	var id int64
	if json.Unmarshal(raw, &id) == nil {
		*r = ref(id)
	}
	return nil
}
