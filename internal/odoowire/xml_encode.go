package odoowire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Values that XML-RPC cannot carry, in the words in which Odoo's clients know
// them.
var (
	ErrNil     = errors.New("cannot marshal None unless allow_none is enabled")
	ErrInteger = errors.New("int exceeds XML-RPC limits")
)

// xmlForm is what values may be. Clients know nil and large integers in calls
// that they send, not in answers.
type xmlForm struct{ nil, int64 bool }

var (
	strictXML = xmlForm{}
	callXML   = xmlForm{nil: true, int64: true}
)

// AppendXMLCall writes a call. Other than in answers, nil and integers of 64
// bits may be among the values: Odoo takes them.
func AppendXMLCall(dst []byte, method string, params ...any) ([]byte, error) {
	dst = append(dst, "<?xml version=\"1.0\"?>\n<methodCall>\n<methodName>"...)
	dst = append(appendEscaped(dst, method), "</methodName>\n<params>\n"...)
	for _, v := range params {
		var err error
		if dst, err = callXML.append(append(dst, "<param>\n"...), v); err != nil {
			return nil, err
		}
		dst = append(dst, "</param>\n"...)
	}
	return append(dst, "</params>\n</methodCall>\n"...), nil
}

const xmlHead = "<?xml version=\"1.0\"?>\n<methodResponse>\n"

// AppendXMLResponse writes an answer: a value as encoding/json makes them, or
// any other that encodes to JSON. A value that XML-RPC cannot carry is
// ErrNil or ErrInteger.
func AppendXMLResponse(dst []byte, v any) ([]byte, error) {
	dst, err := strictXML.append(append(dst, xmlHead+"<params>\n<param>\n"...), v)
	if err != nil {
		return nil, err
	}
	return append(dst, "</param>\n</params>\n</methodResponse>\n"...), nil
}

// AppendXMLFault writes an error. The code is a number, except on Odoo's oldest
// paths, where it is text.
func AppendXMLFault(dst []byte, code any, text string) []byte {
	dst = append(dst, xmlHead+"<fault>\n<value><struct>\n<member>\n<name>faultCode</name>\n"...)
	if number, ok := code.(int); ok {
		dst = append(strconv.AppendInt(append(dst, "<value><int>"...), int64(number), 10), "</int></value>\n"...)
	} else {
		dst = appendXMLText(dst, fmt.Sprint(code))
	}
	dst = appendXMLText(append(dst, "</member>\n<member>\n<name>faultString</name>\n"...), text)
	return append(dst, "</member>\n</struct></value>\n</fault>\n</methodResponse>\n"...)
}

func (f xmlForm) append(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		if f.nil {
			return append(dst, "<value><nil/></value>\n"...), nil
		}
		return nil, ErrNil
	case bool:
		if v {
			return append(dst, "<value><boolean>1</boolean></value>\n"...), nil
		}
		return append(dst, "<value><boolean>0</boolean></value>\n"...), nil
	case string:
		return appendXMLText(dst, v), nil
	case int:
		return f.integer(dst, int64(v))
	case int64:
		return f.integer(dst, v)
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return nil, errors.New("not a number")
		}
		return append(append(append(dst, "<value><double>"...), formatDouble(v)...), "</double></value>\n"...), nil
	case json.Number:
		return f.number(dst, v)
	case []any:
		return f.list(dst, v)
	case map[string]any:
		return f.members(dst, v)
	case json.RawMessage:
		return f.json(dst, v)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return f.json(dst, text)
}

func (f xmlForm) integer(dst []byte, n int64) ([]byte, error) {
	if n > math.MaxInt32 || n < math.MinInt32 {
		if f.int64 {
			return append(strconv.AppendInt(append(dst, "<value><i8>"...), n, 10), "</i8></value>\n"...), nil
		}
		return nil, ErrInteger
	}
	return append(strconv.AppendInt(append(dst, "<value><int>"...), n, 10), "</int></value>\n"...), nil
}

func (f xmlForm) number(dst []byte, n json.Number) ([]byte, error) {
	if whole, err := n.Int64(); err == nil {
		return f.integer(dst, whole)
	}
	x, err := n.Float64()
	if err != nil {
		return nil, ErrInteger
	}
	return f.append(dst, x)
}

func (f xmlForm) list(dst []byte, list []any) (_ []byte, err error) {
	dst = append(dst, "<value><array><data>\n"...)
	for _, v := range list {
		if dst, err = f.append(dst, v); err != nil {
			return nil, err
		}
	}
	return append(dst, "</data></array></value>\n"...), nil
}

func (f xmlForm) members(dst []byte, object map[string]any) (_ []byte, err error) {
	dst = append(dst, "<value><struct>\n"...)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		dst = appendXMLName(dst, name)
		if dst, err = f.append(dst, object[name]); err != nil {
			return nil, err
		}
		dst = append(dst, "</member>\n"...)
	}
	return append(dst, "</struct></value>\n"...), nil
}

// json writes JSON text, member by member in its own order.
func (f xmlForm) json(dst []byte, text []byte) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return f.tokens(dst, dec)
}

func (f xmlForm) tokens(dst []byte, dec *json.Decoder) ([]byte, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	delim, isDelim := token.(json.Delim)
	if !isDelim {
		return f.append(dst, token)
	}
	opening, closing := "<value><array><data>\n", "</data></array></value>\n"
	if delim == '{' {
		opening, closing = "<value><struct>\n", "</struct></value>\n"
	}
	dst = append(dst, opening...)
	for dec.More() {
		if delim == '{' {
			name, err := dec.Token()
			if err != nil {
				return nil, err
			}
			dst = appendXMLName(dst, fmt.Sprint(name))
		}
		if dst, err = f.tokens(dst, dec); err != nil {
			return nil, err
		}
		if delim == '{' {
			dst = append(dst, "</member>\n"...)
		}
	}
	_, err = dec.Token() // the closing bracket
	return append(dst, closing...), err
}

func appendXMLName(dst []byte, name string) []byte {
	return append(appendEscaped(append(dst, "<member>\n<name>"...), name), "</name>\n"...)
}

func appendXMLText(dst []byte, text string) []byte {
	return append(appendEscaped(append(dst, "<value><string>"...), text), "</string></value>\n"...)
}

// appendEscaped writes text for XML; characters that XML does not have are left
// out, as Odoo does.
func appendEscaped(dst []byte, text string) []byte {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == '&':
			dst = append(dst, "&amp;"...)
		case r == '<':
			dst = append(dst, "&lt;"...)
		case r == '>':
			dst = append(dst, "&gt;"...)
		case r == '\r':
			dst = append(dst, "&#13;"...) // else it is read as a line feed
		case r < ' ' && r != '\t' && r != '\n', r == 0xFFFE, r == 0xFFFF, r == utf8.RuneError && size == 1:
		default:
			dst = append(dst, text[i:i+size]...)
		}
		i += size
	}
	return dst
}
