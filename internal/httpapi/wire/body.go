package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"gatehouse/internal/fault"
)

// maxDepth is how deep lists and objects of a body may nest. Real ones need
// five or so; the bound keeps recursion over a body short.
const maxDepth = 64

// BodyProblem says where a body is not what it should be, as details of the
// error. Line and Column count from 1, Offset is in bytes from 0.
type BodyProblem struct {
	Problem string `json:"problem"`
	Offset  int    `json:"offset"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
}

// NotJSON is the error for a body that is no JSON or not the JSON that is
// expected.
func NotJSON(details any) *fault.Error {
	return fault.New(fault.BadRequest, "Invalid JSON body").With(details)
}

// Decode reads one JSON value, and nothing after it. Numbers come out as
// json.Number; of members with the same name the last one counts. Whatever is
// wrong is an "Invalid JSON body" that says where.
func Decode(text []byte) (any, error) {
	if at := invalidUTF8(text); at >= 0 {
		return nil, problemAt(text, at, "the text is not valid UTF-8")
	}
	if at := tooDeep(text); at >= 0 {
		return nil, problemAt(text, at, "lists and objects are nested deeper than 64 levels")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return nil, syntaxProblem(text, err)
	}
	end := int(dec.InputOffset())
	if rest := bytes.TrimLeft(text[end:], " \t\r\n"); len(rest) > 0 {
		return nil, problemAt(text, len(text)-len(rest), "something follows after the end of the JSON value")
	}
	return value, nil
}

// DecodeObject is Decode for bodies that must be objects. An empty body is an
// empty object where that is allowed.
func DecodeObject(text []byte, mayBeEmpty bool) (map[string]any, error) {
	if mayBeEmpty && len(bytes.TrimSpace(text)) == 0 {
		return map[string]any{}, nil
	}
	value, err := Decode(text)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, NotJSON(map[string]string{"problem": "expected an object, found " + Describe(value)})
	}
	return object, nil
}

// Describe names the type of a decoded JSON value, for messages.
func Describe(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a text"
	case json.Number:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "something else"
}

// syntaxProblem explains an error of the JSON reader.
func syntaxProblem(text []byte, err error) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return problemAt(text, 0, "the body is empty")
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok && !strings.Contains(syntax.Error(), "unexpected end") {
		return problemAt(text, max(int(syntax.Offset)-1, 0), syntax.Error())
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return problemAt(text, len(text), "the text ends in the middle of a value")
	}
	return problemAt(text, len(text), err.Error())
}

func problemAt(text []byte, offset int, problem string) error {
	offset = min(offset, len(text))
	before := text[:offset]
	return NotJSON(BodyProblem{
		Problem: problem,
		Offset:  offset,
		Line:    bytes.Count(before, []byte{'\n'}) + 1,
		Column:  offset - bytes.LastIndexByte(before, '\n'),
	})
}

// invalidUTF8 finds the first byte that is not UTF-8, -1 if there is none. The
// JSON reader would put a replacement character there without a word.
func invalidUTF8(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// tooDeep finds the bracket that opens one level too many, -1 if there is none.
func tooDeep(text []byte) int {
	depth, inText := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '[' || c == '{':
			if depth++; depth > maxDepth {
				return i
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return -1
}
