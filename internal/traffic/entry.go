package traffic

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"gatehouse/internal/redact"
	"gatehouse/internal/setting"
)

// What is kept of texts that callers choose, in bytes.
const (
	maxShort = 200
	maxLine  = 2000
	maxText  = 16 << 10
)

// row is an entry as it is stored: without secrets.
func (n *entry) row() []any {
	kind, id := n.caller()
	return []any{
		n.Time.UTC(), text(redact.Strict(n.RequestID), maxShort), text(redact.Text(n.Method), 20), text(redact.Path(n.Path), maxLine),
		text(n.Route, maxLine), text(redact.Text(n.Model), maxShort), text(redact.Query(n.Query), maxLine), int64(n.Status),
		float64(max(n.Latency, 0).Microseconds()) / 1000, n.stepTimes(), clamp(n.BytesIn), clamp(n.BytesOut),
		n.IP.String(), text(redact.Text(n.UserAgent), maxLine), positive(n.UserID), text(redact.Text(n.Login), maxShort), text(n.Credential, maxShort),
		positive(n.CredentialID), callerName(kind, id), text(n.ErrorType, maxShort), text(redact.JSON(n.message()), maxText), text(redact.Text(n.Stack), maxText),
		n.headers(), n.body(n.request, n.Header.Get("Content-Type"), n.requestCut), n.body(n.response, "application/json", n.replCut), string(n.level),
		text(n.TraceID, maxShort),
	}
}

// message is what the caller was told, and why, if that is not the same.
func (n *entry) message() string {
	if n.Cause == nil {
		return n.ErrorMessage
	}
	return n.ErrorMessage + ": " + n.Cause.Error()
}

func (n *entry) headers() any {
	if len(n.Header) == 0 {
		return nil
	}
	encoded, err := json.Marshal(redact.Headers(n.Header))
	if err != nil {
		return nil
	}
	return text(string(encoded), maxText)
}

// stepTimes is JSON of the steps' names and milliseconds.
func (n *entry) stepTimes() any {
	if len(n.Steps) == 0 {
		return nil
	}
	out := []byte{'{'}
	for i, d := range n.Steps {
		if d <= 0 || i >= len(n.StepNames) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(strconv.AppendQuote(out, n.StepNames[i]), ':')
		out = strconv.AppendFloat(out, float64(d.Microseconds())/1000, 'f', -1, 64)
	}
	return string(append(out, '}'))
}

// body is a body that may be kept: text, and at level full only.
func (n *entry) body(body []byte, contentType string, cut bool) any {
	if n.level != setting.LogFull || len(body) == 0 {
		return nil
	}
	if cut {
		for i := 1; i <= utf8.UTFMax && i <= len(body) && !utf8.Valid(body); i++ { // half a character
			body = body[:len(body)-1]
		}
	}
	if !utf8.Valid(body) {
		return nil
	}
	return text(redact.Body(contentType, string(body), cut), 4*maxBody)
}

// text is a text that every store takes, no longer than some bytes; nil where
// there is none.
func text(s string, most int) any {
	if s == "" {
		return nil
	}
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

func positive(n int64) any {
	if n <= 0 {
		return nil
	}
	return n
}

func clamp(n int64) int64 { return min(max(n, 0), math.MaxInt32) }
