package odoowire

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"regexp"
	"strings"
)

// DecodeXMLResponse reads an answer of XML-RPC: a value, in the types of
// DecodeXMLCall, or the fault that it tells. err is for what is no answer, and
// says where.
func DecodeXMLResponse(text []byte) (v any, fault *Error, err error) {
	p := newXMLParser(text)
	v, isFault, err := p.response()
	if err != nil {
		return nil, nil, p.where(err)
	}
	if !isFault {
		return v, nil, nil
	}
	if fault = fromXMLFault(v); fault == nil {
		return nil, nil, errors.New("a fault without code and text")
	}
	return nil, fault, nil
}

// response reads the one value of an answer, or of its fault.
func (p *xmlParser) response() (v any, isFault bool, err error) {
	if err := p.open("methodResponse"); err != nil {
		return nil, false, err
	}
	token, err := p.next()
	if err != nil {
		return nil, false, err
	}
	start, _ := token.(xml.StartElement)
	switch start.Name.Local {
	case "fault":
		isFault = true
	case "params":
		if err := p.open("param"); err != nil {
			return nil, false, err
		}
	default:
		return nil, false, errors.New("expected <params> or <fault>")
	}
	if err := p.open("value"); err != nil {
		return nil, false, err
	}
	if v, err = p.value(); err != nil {
		return nil, false, err
	}
	ends := 3 // of param, params and methodResponse
	if isFault {
		ends = 2
	}
	for range ends {
		if err := p.end(); err != nil {
			return nil, false, err
		}
	}
	return v, isFault, nil
}

// missingRecord is in Odoo's text for a record that does not exist: in English,
// and at the end in some other languages too.
var missingRecord = regexp.MustCompile(`does not exist or has been deleted|\(Record: [\w.]+\([^()]*\), User: \d+\)\s*$`)

// fromXMLFault finds the exception in a fault. Its class is told only in part:
// codes 2 to 4 name groups of them, and 1 is followed by a traceback, the last
// lines of which have name and message. nil: it is no fault.
func fromXMLFault(v any) *Error {
	members, _ := v.(map[string]any)
	text, ok := members["faultString"].(string)
	if !ok {
		return nil
	}
	switch code := members["faultCode"].(type) {
	case json.Number:
		switch code {
		case "2":
			if missingRecord.MatchString(text) {
				return MissingError(text)
			}
			return UserError(text)
		case "3":
			e := AccessDenied()
			e.Message = text
			return e
		case "4":
			return AccessError(text)
		}
		return fromTraceback(text)
	case string: // the oldest paths
		return fromXMLWarning(code, text)
	}
	return nil
}

func fromXMLWarning(code, text string) *Error {
	if code == "AccessDenied" {
		return AccessDenied()
	}
	warning, found := strings.CutPrefix(code, "warning -- ")
	class, message, split := strings.Cut(warning, "\n\n")
	if !found || !split {
		return fromTraceback(text)
	}
	return exception("odoo.exceptions."+class, statusOf(class), message)
}

// lastLine is where a traceback ends and the exception is told.
var lastLine = regexp.MustCompile(`(?m)^([A-Za-z_][\w.]*)(?:: |:?$)`)

// fromTraceback finds name and message of an exception at the end of the text
// that Python writes for it.
func fromTraceback(text string) *Error {
	var at []int
	for _, found := range lastLine.FindAllStringSubmatchIndex(text, -1) {
		class := text[found[2]:found[3]]
		if strings.HasSuffix(class, "Error") || strings.HasSuffix(class, "Exception") || strings.Contains(class, ".") {
			at = found // what comes later is nearer to the caller
		}
	}
	if at == nil {
		e := exception("builtins.Exception", statusOf("Exception"), "")
		e.Debug = text
		return e
	}
	name := text[at[2]:at[3]]
	if !strings.Contains(name, ".") {
		name = "builtins." + name
	}
	class := name[strings.LastIndexByte(name, '.')+1:]
	e := exception(name, statusOf(class), strings.TrimRight(text[at[1]:], "\n"))
	e.Debug = text
	return e
}

// statusOf is the HTTP status that JSON-2 has for a class of exceptions.
func statusOf(class string) int {
	switch class {
	case "AccessDenied", "AccessError":
		return AccessError("").Status
	case "MissingError":
		return MissingError("").Status
	case "UserError", "ValidationError":
		return UserError("").Status
	case "LockError":
		return LockError("").Status
	}
	return PythonError("", "").Status
}
