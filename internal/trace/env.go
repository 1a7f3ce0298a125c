package trace

import (
	"errors"
	"log/slog"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

// Options say where spans go, and which. Zero values take the default.
type Options struct {
	// URL that batches are posted to, with its path: http://collector:4318/v1/traces.
	URL     string
	Headers map[string]string // of each batch: a credential, mostly
	Timeout time.Duration     // of one attempt; 10 s
	Gzip    bool
	Sampler Sampler
	// Resource tells what this process is: service.name and others.
	Resource map[string]string
	Version  string // of Gatehouse
	// Queue is how many spans wait at most, Batch how many go at once: 2048, 512.
	Queue, Batch int
	Every        time.Duration // that a batch goes at the latest; 5 s
	Pause        time.Duration // before the second attempt, then doubled; 1 s
	Log          *slog.Logger
}

func (o *Options) fill() {
	o.Timeout = positive(o.Timeout, 10*time.Second)
	o.Queue = positive(o.Queue, 2048)
	o.Batch = min(positive(o.Batch, 512), o.Queue)
	o.Every = positive(o.Every, 5*time.Second)
	o.Pause = positive(o.Pause, time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

func positive[T int | time.Duration](n, otherwise T) T {
	if n > 0 {
		return n
	}
	return otherwise
}

// TracesURL is the address for traces at a collector's base address.
func TracesURL(base string) string { return strings.TrimRight(base, "/") + "/v1/traces" }

// parseURL checks the address of a collector. Errors do not repeat it.
func parseURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return errors.New("not a URL like http://collector:4318")
	case u.User != nil:
		return errors.New("has a user name or password in it: send a header instead")
	case u.Port() == "4317":
		return errors.New("port 4317 is that of gRPC: name the one for HTTP, which is 4318 mostly")
	}
	return nil
}

// FromEnv reads OpenTelemetry's own variables (OTEL_…). The URL is empty where
// they name no address that spans can be sent to; off says that they ask for no
// traces at all. What makes no sense counts as unset, as the specification wants
// it, and is told in warnings, which name the variable and do not repeat its
// value.
func FromEnv(env func(string) string) (o Options, off bool, warnings []string) {
	r := envReader{get: env}
	o.URL = r.url()
	o.Headers = r.headers(r.first("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"))
	o.Timeout = r.millis(r.first("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"))
	o.Every = r.millis("OTEL_BSP_SCHEDULE_DELAY")
	o.Queue = r.number("OTEL_BSP_MAX_QUEUE_SIZE")
	o.Batch = r.number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE")
	compression := r.first("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION")
	switch env(compression) {
	case "gzip":
		o.Gzip = true
	case "", "none":
	default:
		r.warn(compression, "is neither gzip nor none")
	}
	o.Sampler = r.sampler()
	o.Resource = r.pairs("OTEL_RESOURCE_ATTRIBUTES")
	if name := env("OTEL_SERVICE_NAME"); name != "" {
		o.Resource["service.name"] = name
	}
	off = strings.EqualFold(env("OTEL_SDK_DISABLED"), "true") || env("OTEL_TRACES_EXPORTER") == "none"
	return o, off, r.warnings
}

// envReader reads variables and notes what is wrong with them.
type envReader struct {
	get      func(string) string
	warnings []string
}

func (r *envReader) warn(name, what string) { r.warnings = append(r.warnings, name+" "+what) }

// first is the first of some variables that is set, or the last.
func (r *envReader) first(names ...string) string {
	for _, name := range names {
		if r.get(name) != "" {
			return name
		}
	}
	return names[len(names)-1]
}

func (r *envReader) url() string {
	name := r.first("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
	address := r.get(name)
	if address == "" {
		return ""
	}
	if protocol := r.first("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"); r.get(protocol) == "grpc" {
		r.warn(protocol, "is grpc, and spans are sent over HTTP only: set http/json, and the collector's address for HTTP")
		return ""
	}
	if err := parseURL(address); err != nil {
		r.warn(name, err.Error())
		return ""
	}
	if name == "OTEL_EXPORTER_OTLP_ENDPOINT" {
		address = TracesURL(address)
	}
	return address
}

func (r *envReader) pairs(name string) map[string]string {
	pairs, err := ParsePairs(r.get(name))
	if err != nil {
		r.warn(name, err.Error())
		return map[string]string{}
	}
	return pairs
}

func (r *envReader) headers(name string) map[string]string {
	pairs := r.pairs(name)
	if err := checkHeaders(pairs); err != nil {
		r.warn(name, err.Error())
		return map[string]string{}
	}
	return pairs
}

// checkHeaders looks whether headers can be sent. Errors have no value in them.
func checkHeaders(pairs map[string]string) error {
	for name, value := range pairs {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return errors.New("has a name or a value with characters that headers cannot have")
		}
	}
	return nil
}

// ParsePairs reads name=value,name=value, where values are percent-encoded.
// Errors do not repeat the text.
func ParsePairs(text string) (map[string]string, error) {
	pairs := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		key, value, found := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if key = strings.TrimSpace(key); !found || key == "" || err != nil {
			return nil, errors.New("is not a list like name=value,name=value")
		}
		pairs[key] = value
	}
	return pairs, nil
}

func (r *envReader) number(name string) int {
	text := r.get(name)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n <= 0 {
		r.warn(name, "is not a number above 0")
		return 0
	}
	return int(n)
}

func (r *envReader) millis(name string) time.Duration {
	return time.Duration(r.number(name)) * time.Millisecond
}

func (r *envReader) sampler() Sampler {
	const name, arg = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
	all := Sampler{Ratio: 1}
	kind, based := strings.CutPrefix(r.get(name), "parentbased_")
	s := Sampler{Alone: !based}
	switch kind {
	case "":
		return all
	case "always_on":
		s.Ratio = 1
	case "always_off":
	case "traceidratio":
		s.Ratio = 1
		if text := r.get(arg); text != "" {
			ratio, err := strconv.ParseFloat(text, 64)
			if err != nil || math.IsNaN(ratio) || ratio < 0 || ratio > 1 {
				r.warn(arg, "is not a number from 0 to 1")
				ratio = 1
			}
			s.Ratio = ratio
		}
	default:
		r.warn(name, "is none of always_on, always_off, traceidratio and these with parentbased_ in front")
		return all
	}
	return s
}
