package odoowire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxDepth is how deep arrays and structs of a call may nest. Real ones need
// ten or so.
const maxDepth = 64

// XMLCall is a call of XML-RPC.
type XMLCall struct {
	Method string
	Params []any
}

// DecodeXMLCall reads a call. Values come out as those of JSON do: numbers as
// json.Number, nil, bool, text, []any and map[string]any. A dateTime.iso8601
// becomes Odoo's text "2026-01-31 10:30:00", base64 stays text. There are no
// external entities, and no document types. Errors say what is wrong, and where.
func DecodeXMLCall(text []byte) (*XMLCall, error) {
	p := newXMLParser(text)
	call, err := p.call()
	if err != nil {
		return nil, p.where(err)
	}
	return call, nil
}

func newXMLParser(text []byte) *xmlParser {
	p := &xmlParser{dec: xml.NewDecoder(bytes.NewReader(text))}
	p.dec.CharsetReader = charset
	return p
}

// where adds the place to an error.
func (p *xmlParser) where(err error) error {
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
		err = errors.New(syntax.Msg)
	} else if errors.Is(err, io.EOF) {
		err = errors.New("the document ends too early")
	}
	line, column := p.dec.InputPos()
	return fmt.Errorf("%w: line %d, column %d", err, line, column)
}

// charset reads the encodings that old clients declare beside UTF-8.
func charset(name string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(name) {
	case "us-ascii", "ascii", "iso-8859-1", "latin1", "latin-1":
	default:
		return nil, errors.New("the encoding of the document is not understood: send UTF-8")
	}
	octets, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(octets))
	for _, b := range octets {
		out = utf8.AppendRune(out, rune(b))
	}
	return bytes.NewReader(out), nil
}

// xmlParser reads the elements of a call one after the other.
type xmlParser struct {
	dec   *xml.Decoder
	depth int
}

// next gives the next start or end of an element; between them is nothing but space.
func (p *xmlParser) next() (xml.Token, error) {
	for {
		token, err := p.token()
		if err != nil {
			return nil, err
		}
		text, isText := token.(xml.CharData)
		if !isText {
			return token, nil
		}
		if len(bytes.TrimSpace(text)) > 0 {
			return nil, errors.New("text where an element is expected")
		}
	}
}

// token leaves comments and instructions out, and refuses document types: what
// they declare is what attacks are made of.
func (p *xmlParser) token() (xml.Token, error) {
	for {
		token, err := p.dec.Token()
		if err != nil {
			return nil, err
		}
		switch token.(type) {
		case xml.Comment, xml.ProcInst:
		case xml.Directive:
			return nil, errors.New("document types are not taken")
		default:
			return token, nil
		}
	}
}

// open wants the start of an element of that name.
func (p *xmlParser) open(name string) error {
	token, err := p.next()
	if err != nil {
		return err
	}
	if start, ok := token.(xml.StartElement); !ok || start.Name.Local != name {
		return fmt.Errorf("expected <%s>", name)
	}
	return nil
}

// more is true for the start of another element of that name, false for the
// end of the one around it.
func (p *xmlParser) more(name string) (bool, error) {
	token, err := p.next()
	if err != nil {
		return false, err
	}
	if start, ok := token.(xml.StartElement); ok {
		if start.Name.Local != name {
			return false, fmt.Errorf("expected <%s>", name)
		}
		return true, nil
	}
	return false, nil
}

// end wants the end of the element that is open. That it is the right one is
// the decoder's care.
func (p *xmlParser) end() error {
	token, err := p.next()
	if err != nil {
		return err
	}
	if start, ok := token.(xml.StartElement); ok {
		return fmt.Errorf("<%.40s> is not expected here", start.Name.Local)
	}
	return nil
}

// text reads up to the end of the element that is open.
func (p *xmlParser) text() (string, error) {
	var text []byte
	for {
		token, err := p.token()
		if err != nil {
			return "", err
		}
		switch token := token.(type) {
		case xml.CharData:
			text = append(text, token...)
		case xml.EndElement:
			return string(text), nil
		default:
			return "", errors.New("an element where text is expected")
		}
	}
}

func (p *xmlParser) call() (*XMLCall, error) {
	if err := p.open("methodCall"); err != nil {
		return nil, err
	}
	if err := p.open("methodName"); err != nil {
		return nil, err
	}
	method, err := p.text()
	if err != nil {
		return nil, err
	}
	call := &XMLCall{Method: strings.TrimSpace(method)}
	more, err := p.more("params")
	if err != nil || !more {
		return call, err
	}
	for {
		more, err := p.more("param")
		if err != nil {
			return nil, err
		}
		if !more {
			return call, p.end() // of methodCall
		}
		if err := p.open("value"); err != nil {
			return nil, err
		}
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		call.Params = append(call.Params, v)
		if err := p.end(); err != nil {
			return nil, err
		}
	}
}

// value reads what is in <value>, and its end. A value without a type is text.
func (p *xmlParser) value() (any, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("values are nested deeper than %d levels", maxDepth)
	}
	defer func() { p.depth-- }()
	var text []byte
	for {
		token, err := p.token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.CharData:
			text = append(text, token...)
		case xml.EndElement:
			return string(text), nil
		case xml.StartElement:
			if len(bytes.TrimSpace(text)) > 0 {
				return nil, errors.New("text beside an element in <value>")
			}
			v, err := p.typed(token.Name.Local)
			if err != nil {
				return nil, err
			}
			return v, p.end() // of value
		}
	}
}

// typed reads an element of a type up to its end.
func (p *xmlParser) typed(kind string) (any, error) {
	switch kind {
	case "array":
		return p.array()
	case "struct":
		return p.members()
	}
	text, err := p.text()
	if err != nil {
		return nil, err
	}
	switch kind {
	case "string":
		return text, nil
	case "nil":
		return nil, nil //nolint:nilnil // nil is a value
	case "int", "i1", "i2", "i4", "i8", "biginteger":
		return integer(strings.TrimSpace(text))
	case "boolean":
		return boolean(strings.TrimSpace(text))
	case "double", "float":
		return double(strings.TrimSpace(text))
	case "dateTime.iso8601":
		return moment(strings.TrimSpace(text))
	case "base64":
		return octets(text)
	}
	return nil, fmt.Errorf("values of the type <%.40s> are not known", kind)
}

func (p *xmlParser) array() (any, error) {
	if err := p.open("data"); err != nil {
		return nil, err
	}
	list := []any{}
	for {
		more, err := p.more("value")
		if err != nil {
			return nil, err
		}
		if !more {
			return list, p.end() // of array
		}
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
}

// members reads a struct; of members with the same name the last one counts.
func (p *xmlParser) members() (any, error) {
	object := map[string]any{}
	for {
		more, err := p.more("member")
		if err != nil || !more {
			return object, err
		}
		if err := p.open("name"); err != nil {
			return nil, err
		}
		name, err := p.text()
		if err != nil {
			return nil, err
		}
		if err := p.open("value"); err != nil {
			return nil, err
		}
		if object[name], err = p.value(); err != nil {
			return nil, err
		}
		if err := p.end(); err != nil {
			return nil, err
		}
	}
}

func integer(text string) (any, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, errors.New("an integer is malformed, or larger than 64 bits")
	}
	return json.Number(strconv.FormatInt(n, 10)), nil
}

func boolean(text string) (any, error) {
	switch text {
	case "0", "false":
		return false, nil
	case "1", "true":
		return true, nil
	}
	return nil, errors.New("a boolean is 0 or 1")
}

func double(text string) (any, error) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(x, 0) || math.IsNaN(x) {
		return nil, errors.New("a double is malformed")
	}
	return json.Number(formatDouble(x)), nil
}

// formatDouble writes a number so that it can't be taken for an integer, with
// an exponent only where Python has one too: not all clients know them.
func formatDouble(x float64) string {
	format := byte('f')
	if size := math.Abs(x); size >= 1e16 || size < 1e-4 && size > 0 {
		format = 'g'
	}
	text := strconv.FormatFloat(x, format, -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

// moment reads a date and time without a zone, which is UTC to Odoo.
func moment(text string) (any, error) {
	for _, layout := range []string{"20060102T15:04:05", "2006-01-02T15:04:05", "20060102T150405", "2006-01-02T15:04:05Z"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.Format(time.DateTime), nil
		}
	}
	return nil, errors.New("a dateTime.iso8601 is written 20260131T10:30:00")
}

// octets checks base64 text, which Odoo's binary fields take as it is.
func octets(text string) (any, error) {
	text = strings.Map(func(r rune) rune {
		if r == ' ' || r == '\n' || r == '\r' || r == '\t' {
			return -1
		}
		return r
	}, text)
	if _, err := base64.StdEncoding.DecodeString(text); err != nil {
		return nil, errors.New("base64 is malformed")
	}
	return text, nil
}
