package traffic

import (
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// Event is what there is to know about a finished request. Path, Query,
// UserAgent, Header and the bodies are as they were sent: of any length,
// perhaps not UTF-8, and full of secrets. They are the pipeline's memory, and
// hold only until Observe returns.
type Event struct {
	Time      time.Time // when it came in
	RequestID string
	TraceID   string // "" where there are no traces
	Method    string
	Path      string
	Route     string // the pattern that took it, e.g. /api/v1/{model}/{id}; "" for none
	Model     string // as the path names it, "" when it was not about records
	Query     string
	Status    int
	Latency   time.Duration
	Steps     []time.Duration // by the step's number
	StepNames []string        // never changes
	BytesIn   int64
	BytesOut  int64
	IP        netip.Addr
	UserAgent string
	Header    http.Header

	RequestBody  []byte
	ResponseBody []byte

	UserID       int64 // 0: not identified
	Login        string
	Credential   string // its kind
	CredentialID int64
	LogLevel     string // of the user's profile; "" is the global one

	ErrorType    string // "" for an answer without error
	ErrorMessage string
	Cause        error
	Stack        string
}

// callerKind is the first word of a caller's name.
type callerKind uint8

const (
	anonymous callerKind = iota
	byUser
	byKey
	byClient
)

// The kinds of credentials that are callers of their own; all others stand for
// their user.
const (
	keyCredential    = "api_key"
	clientCredential = "oauth2"
)

// everybody is the caller under which the traffic of all callers is added up.
const everybody = "*"

// Anonymous is the caller of requests without a valid credential.
const Anonymous = "anonymous"

// caller is who a request counts for.
func (e *Event) caller() (callerKind, int64) {
	switch {
	case e.UserID == 0:
		return anonymous, 0
	case e.Credential == keyCredential:
		return byKey, e.CredentialID
	case e.Credential == clientCredential:
		return byClient, e.CredentialID
	}
	return byUser, e.UserID
}

// callerName writes a caller as the log and the rollups have it: key:3.
func callerName(kind callerKind, id int64) string {
	if kind == anonymous {
		return Anonymous
	}
	return [...]string{byUser: "user:", byKey: "key:", byClient: "client:"}[kind] + strconv.FormatInt(id, 10)
}

// class is what is told apart of statuses. Refusals for limits are one of
// their own: they are not the caller's mistakes.
type class uint8

const (
	success class = iota // 1xx too: a connection that became a WebSocket
	redirect
	clientError
	serverError
	limited
	classes
)

// classNames are the classes as the API names them.
var classNames = [classes]string{"2xx", "3xx", "4xx", "5xx", "429"}

// classOf is the class of a status.
func classOf(status int) class {
	switch {
	case status >= http.StatusInternalServerError:
		return serverError
	case status == http.StatusTooManyRequests:
		return limited
	case status >= http.StatusBadRequest:
		return clientError
	case status >= http.StatusMultipleChoices:
		return redirect
	}
	return success
}
