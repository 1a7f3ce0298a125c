package trace

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func fromEnv(pairs ...string) (Options, bool, []string) {
	env := map[string]string{}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	return FromEnv(func(name string) string { return env[name] })
}

func TestFromEnv(t *testing.T) {
	const base = "OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318/"
	for _, test := range []struct {
		env  []string
		want func(o *Options) any
		is   any
	}{
		{nil, func(o *Options) any { return o.URL }, ""},
		{[]string{base}, func(o *Options) any { return o.URL }, "http://c:4318/v1/traces"},
		{[]string{base, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://d/x"}, func(o *Options) any { return o.URL }, "https://d/x"},
		{[]string{base, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"}, func(o *Options) any { return o.URL }, "http://c:4318/v1/traces"},
		{[]string{"OTEL_EXPORTER_OTLP_HEADERS=a=1,b=x%20y%3D"}, func(o *Options) any { return o.Headers }, map[string]string{"a": "1", "b": "x y="}},
		{
			[]string{"OTEL_EXPORTER_OTLP_HEADERS=a=1", "OTEL_EXPORTER_OTLP_TRACES_HEADERS=c=2"},
			func(o *Options) any { return o.Headers },
			map[string]string{"c": "2"},
		},
		{[]string{"OTEL_EXPORTER_OTLP_TIMEOUT=250"}, func(o *Options) any { return o.Timeout }, 250 * time.Millisecond},
		{[]string{"OTEL_EXPORTER_OTLP_COMPRESSION=gzip"}, func(o *Options) any { return o.Gzip }, true},
		{[]string{"OTEL_BSP_MAX_QUEUE_SIZE=7"}, func(o *Options) any { return o.Queue }, 7},
		{
			[]string{"OTEL_RESOURCE_ATTRIBUTES=service.name=a,deployment.environment.name=prod", "OTEL_SERVICE_NAME=b"},
			func(o *Options) any { return o.Resource },
			map[string]string{"service.name": "b", "deployment.environment.name": "prod"},
		},
		{nil, func(o *Options) any { return o.Sampler }, Sampler{Ratio: 1}},
		{[]string{"OTEL_TRACES_SAMPLER=always_off"}, func(o *Options) any { return o.Sampler }, Sampler{Alone: true}},
		{
			[]string{"OTEL_TRACES_SAMPLER=parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG=0.1"},
			func(o *Options) any { return o.Sampler },
			Sampler{Ratio: 0.1},
		},
		{[]string{"OTEL_TRACES_SAMPLER=traceidratio"}, func(o *Options) any { return o.Sampler }, Sampler{Ratio: 1, Alone: true}},
	} {
		o, off, warnings := fromEnv(test.env...)
		if got := test.want(&o); !reflect.DeepEqual(got, test.is) || off || len(warnings) > 0 {
			t.Errorf("%v: %v, want %v (off %v, %v)", test.env, got, test.is, off, warnings)
		}
	}
	for _, no := range []string{"OTEL_SDK_DISABLED=True", "OTEL_TRACES_EXPORTER=none"} {
		if _, off, _ := fromEnv(base, no); !off {
			t.Errorf("%s does not turn traces off", no)
		}
	}
}

// What is wrong is as good as not set, is told of, and is not repeated.
func TestFromEnvWrong(t *testing.T) {
	const secret = "hunter2"
	for _, wrong := range []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + secret, "OTEL_EXPORTER_OTLP_ENDPOINT=http://u:" + secret + "@c", "OTEL_EXPORTER_OTLP_ENDPOINT=http://" + secret + ":4317",
		"OTEL_EXPORTER_OTLP_HEADERS=" + secret, "OTEL_EXPORTER_OTLP_HEADERS=a=%zz" + secret, "OTEL_EXPORTER_OTLP_HEADERS=a=%0A" + secret,
		"OTEL_EXPORTER_OTLP_TIMEOUT=" + secret, "OTEL_BSP_MAX_QUEUE_SIZE=-1", "OTEL_TRACES_SAMPLER=" + secret, "OTEL_EXPORTER_OTLP_COMPRESSION=" + secret,
	} {
		o, _, warnings := fromEnv(wrong)
		name, _, _ := strings.Cut(wrong, "=")
		if len(warnings) != 1 || !strings.HasPrefix(warnings[0], name+" ") || strings.Contains(fmt.Sprint(warnings), secret) {
			t.Errorf("%s: %q", wrong, warnings)
		}
		if empty, _, _ := fromEnv(); !reflect.DeepEqual(o, empty) {
			t.Errorf("%s: %+v", wrong, o)
		}
	}
	if o, _, warnings := fromEnv("OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"); o.URL != "" || len(warnings) != 1 {
		t.Errorf("gRPC: %q %q", o.URL, warnings)
	}
	if o, _, warnings := fromEnv("OTEL_TRACES_SAMPLER=traceidratio", "OTEL_TRACES_SAMPLER_ARG=NaN"); o.Sampler.Ratio != 1 || len(warnings) != 1 {
		t.Errorf("ratio NaN: %+v %q", o.Sampler, warnings)
	}
}
