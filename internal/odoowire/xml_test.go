package odoowire

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
)

// calling wraps a value as the one parameter of a call.
func calling(value string) string {
	return "<?xml version='1.0'?>\n<methodCall><methodName>m</methodName><params><param>" + value + "</param></params></methodCall>"
}

func TestDecodeXMLValues(t *testing.T) {
	for value, want := range map[string]any{
		"<value><int>42</int></value>":                                             json.Number("42"),
		"<value><i4> -7 </i4></value>":                                             json.Number("-7"),
		"<value><i8>9007199254740993</i8></value>":                                 json.Number("9007199254740993"),
		"<value><int>+5</int></value>":                                             json.Number("5"),
		"<value><boolean>1</boolean></value>":                                      true,
		"<value><boolean>0</boolean></value>":                                      false,
		"<value><double>2.50</double></value>":                                     json.Number("2.5"),
		"<value><double>3</double></value>":                                        json.Number("3.0"),
		"<value><double>1e300</double></value>":                                    json.Number("1e+300"),
		"<value>bare &amp; &lt;plain&gt; é</value>":                                "bare & <plain> é",
		"<value> spaces </value>":                                                  " spaces ",
		"<value></value>":                                                          "",
		"<value/>":                                                                 "",
		"<value><string/></value>":                                                 "",
		"<value>\n  <string>a<!-- b -->c</string>\n</value>":                       "ac",
		"<value><string><![CDATA[<x>]]></string></value>":                          "<x>",
		"<value><nil/></value>":                                                    nil,
		"<value><dateTime.iso8601>20260131T10:30:00</dateTime.iso8601></value>":    "2026-01-31 10:30:00",
		"<value><dateTime.iso8601>2026-01-31T10:30:00Z</dateTime.iso8601></value>": "2026-01-31 10:30:00",
		"<value><base64>aGVs\n bG8=</base64></value>":                              "aGVsbG8=",
		"<value><array><data/></array></value>":                                    []any{},
		"<value><array><data><value>a</value> <value><int>1</int></value></data></array></value>": []any{"a", json.Number("1")},
		"<value><struct/></value>": map[string]any{},
		"<value><struct><member><name>a</name><value>1</value></member><member><name>a</name><value>2</value></member></struct></value>": map[string]any{"a": "2"},
	} {
		call, err := DecodeXMLCall([]byte(calling(value)))
		if err != nil || call.Method != "m" || len(call.Params) != 1 || !reflect.DeepEqual(call.Params[0], want) {
			t.Errorf("%s: %+v, %v; want %#v", value, call, err, want)
		}
	}
}

func TestDecodeXMLRefuses(t *testing.T) {
	deep := strings.Repeat("<value><array><data>", maxDepth+1) + strings.Repeat("</data></array></value>", maxDepth+1)
	for name, text := range map[string]string{
		"nothing":              "",
		"cut off":              "<methodCall><nope",
		"another document":     "<methodResponse/>",
		"no method":            "<methodCall><params/></methodCall>",
		"document type":        `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + calling("<value>&e;</value>"),
		"unknown entity":       calling("<value>&e;</value>"),
		"entity within a type": calling("<value><string>&lol9;</string></value>"),
		"unknown type":         calling("<value><object/></value>"),
		"text beside":          calling("<value>a<int>1</int></value>"),
		"two types":            calling("<value><int>1</int><int>2</int></value>"),
		"element in a text":    calling("<value><string><b/></string></value>"),
		"not whole":            calling("<value><int>1.5</int></value>"),
		"too large":            calling("<value><int>9223372036854775808</int></value>"),
		"no boolean":           calling("<value><boolean>yes</boolean></value>"),
		"no number":            calling("<value><double>NaN</double></value>"),
		"infinite":             calling("<value><double>1e999</double></value>"),
		"no date":              calling("<value><dateTime.iso8601>yesterday</dateTime.iso8601></value>"),
		"no base64":            calling("<value><base64>%%%</base64></value>"),
		"member without name":  calling("<value><struct><member><value>1</value></member></struct></value>"),
		"array without data":   calling("<value><array><value>1</value></array></value>"),
		"too deep":             calling(deep),
		"not closed":           calling("<value><array><data></value>"),
		"no such encoding":     `<?xml version="1.0" encoding="utf-16"?><methodCall><methodName>m</methodName></methodCall>`,
		"not UTF-8":            calling("<value>\xff</value>"),
		"control character":    calling("<value>\x01</value>"),
	} {
		call, err := DecodeXMLCall([]byte(text))
		if err == nil {
			t.Errorf("%s: taken as %+v", name, call)
		} else if !strings.Contains(err.Error(), "line ") {
			t.Errorf("%s: %v does not say where", name, err)
		}
	}
}

// TestDecodeXMLEncodings: PHP's xmlrpc writes Latin-1 by default.
func TestDecodeXMLEncodings(t *testing.T) {
	for _, text := range []string{
		"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><methodCall><methodName>caf\xe9</methodName></methodCall>",
		`<?xml version="1.0" encoding="US-ASCII"?><methodCall><methodName>caf&#233;</methodName><params/></methodCall>`,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?><methodCall><methodName> café\n</methodName><params></params></methodCall>\n",
	} {
		if call, err := DecodeXMLCall([]byte(text)); err != nil || call.Method != "café" || len(call.Params) != 0 {
			t.Errorf("%q: %+v %v", text, call, err)
		}
	}
}

func TestAppendXML(t *testing.T) {
	for _, test := range []struct {
		v    any
		want string
	}{
		{true, "<boolean>1</boolean>"},
		{7, "<int>7</int>"},
		{int64(math.MinInt32), "<int>-2147483648</int>"},
		{1740.0, "<double>1740.0</double>"},
		{1e15, "<double>1000000000000000.0</double>"},
		{1e-7, "<double>1e-07</double>"},
		{json.Number("0.0"), "<double>0.0</double>"},
		{json.RawMessage(`1740.50`), "<double>1740.5</double>"},
		{"a<b>&c\x00\x1f\tend\r\n\ufffe", "<string>a&lt;b&gt;&amp;c\tend&#13;\n</string>"},
		{"bad \xff text", "<string>bad  text</string>"},
		{[]int64{3, 1}, "<array><data>\n<value><int>3</int></value>\n<value><int>1</int></value>\n</data></array>"},
		{map[string]any{"b": false, "a": ""}, "<struct>\n<member>\n<name>a</name>\n<value><string></string></value>\n</member>\n" +
			"<member>\n<name>b</name>\n<value><boolean>0</boolean></value>\n</member>\n</struct>"},
		{json.RawMessage(`{"b":[1,"x"],"a":{}}`), "<struct>\n<member>\n<name>b</name>\n<value><array><data>\n<value><int>1</int></value>\n" +
			"<value><string>x</string></value>\n</data></array></value>\n</member>\n<member>\n<name>a</name>\n<value><struct>\n</struct></value>\n</member>\n</struct>"},
	} {
		got, err := AppendXMLResponse(nil, test.v)
		want := xmlHead + "<params>\n<param>\n<value>" + test.want + "</value>\n</param>\n</params>\n</methodResponse>\n"
		if err != nil || string(got) != want {
			t.Errorf("%#v: %v %s\nwant %s", test.v, err, got, want)
		}
	}
}

func TestAppendXMLRefuses(t *testing.T) {
	for _, test := range []struct {
		v    any
		want error
	}{
		{nil, ErrNil},
		{json.RawMessage("null"), ErrNil},
		{map[string]any{"a": []any{nil}}, ErrNil},
		{int64(1) << 31, ErrInteger},
		{json.RawMessage(`[3000000000]`), ErrInteger},
	} {
		if got, err := AppendXMLResponse(nil, test.v); !errors.Is(err, test.want) {
			t.Errorf("%v: %s %v, want %v", test.v, got, err, test.want)
		}
	}
	if got, err := AppendXMLResponse(nil, math.NaN()); err == nil {
		t.Errorf("NaN: %s", got)
	}
}

func TestAppendXMLFault(t *testing.T) {
	for code, want := range map[any]string{
		2:                             "<value><int>2</int></value>",
		"warning -- UserError\n\n<a>": "<value><string>warning -- UserError\n\n&lt;a&gt;</string></value>",
	} {
		got := string(AppendXMLFault(nil, code, "say & hear"))
		if !strings.Contains(got, "<name>faultCode</name>\n"+want) || !strings.Contains(got, "<string>say &amp; hear</string>") || wellFormed(got) != nil {
			t.Errorf("%v: %s", code, got)
		}
	}
}

// wellFormed reads a document to its end.
func wellFormed(text string) error {
	dec := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// FuzzDecodeXMLCall: whatever comes in, what is taken from it can go out again.
func FuzzDecodeXMLCall(f *testing.F) {
	f.Add([]byte(calling("<value><struct><member><name>a</name><value><array><data><value><nil/></value></data></array></value></member></struct></value>")))
	f.Add([]byte(calling("<value><double>1.5</double></value>")))
	f.Add([]byte("<?xml version='1.0' encoding='iso-8859-1'?><methodCall><methodName>\xe9</methodName></methodCall>"))
	f.Add([]byte("<!DOCTYPE a><methodCall/>"))
	f.Fuzz(func(t *testing.T, text []byte) {
		call, err := DecodeXMLCall(text)
		if err != nil {
			return
		}
		out, err := AppendXMLResponse(nil, append([]any{call.Method}, call.Params...))
		if errors.Is(err, ErrNil) || errors.Is(err, ErrInteger) {
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if err := wellFormed(string(out)); err != nil {
			t.Fatalf("%q: %v in %s", text, err, out)
		}
		if _, err := json.Marshal(call.Params); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
