package openapi

import (
	"encoding/json"
	"strconv"

	"gatehouse/internal/httpapi/wire"
)

// writer writes JSON from left to right. It sets commas by itself.
type writer struct {
	buf  []byte
	old  bool // OpenAPI 3.0
	used map[component]bool
}

// component is a part of the document that is written once.
type component struct{ kind, name string }

// sep sets a comma where something stands before in the same object or array.
func (w *writer) sep() {
	if n := len(w.buf); n > 0 {
		switch w.buf[n-1] {
		case '{', '[', ':', ',':
		default:
			w.buf = append(w.buf, ',')
		}
	}
}

func (w *writer) key(name string) {
	w.sep()
	w.buf = append(wire.AppendString(w.buf, name), ':')
}

func (w *writer) text(s string) {
	w.sep()
	w.buf = wire.AppendString(w.buf, s)
}

func (w *writer) raw(text string) {
	w.sep()
	w.buf = append(w.buf, text...)
}

func (w *writer) open(bracket byte) {
	w.sep()
	w.buf = append(w.buf, bracket)
}

func (w *writer) close(bracket byte) { w.buf = append(w.buf, bracket) }

// member writes a text under a name; an empty one is left out.
func (w *writer) member(name, text string) {
	if text != "" {
		w.key(name)
		w.text(text)
	}
}

// object writes an object under a name.
func (w *writer) object(name string, inside func()) {
	w.key(name)
	w.open('{')
	inside()
	w.close('}')
}

// texts writes a list of texts under a name.
func (w *writer) texts(name string, list []string) {
	w.key(name)
	w.open('[')
	for _, s := range list {
		w.text(s)
	}
	w.close(']')
}

// ref writes a reference as the whole of an object.
func (w *writer) ref(kind, name string) {
	w.open('{')
	w.refMember(kind, name)
	w.close('}')
}

// refMember writes a reference into an object, and notes that it is one.
func (w *writer) refMember(kind, name string) {
	w.used[component{kind, name}] = true
	w.key("$ref")
	w.text("#/components/" + kind + "/" + name)
}

func (w *writer) number(x float64) {
	w.sep()
	w.buf = wire.AppendFloat(w.buf, x)
}

func (w *writer) whole(n int) {
	w.sep()
	w.buf = strconv.AppendInt(w.buf, int64(n), 10)
}

// value writes whatever encodes to JSON. What does not is left out of the
// document: it would be a fault in our own tables, and tests look for it.
func (w *writer) value(v any) {
	text, err := json.Marshal(v)
	if err != nil {
		text = []byte("null")
	}
	w.raw(string(text))
}
