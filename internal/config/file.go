package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"gatehouse/internal/nearest"
)

// entry is a value of the configuration file, as text, and the line it is on.
type entry struct{ value, source string }

// parseFile reads the configuration file. Everything wrong with it is
// reported at once, each with its line: an unknown or doubled key, a value of
// the wrong type, a setting that may not stand in a file.
func parseFile(name string, text []byte, flags []*kong.Flag) (map[string]entry, error) {
	root, err := decodeYAML(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if root == nil {
		return nil, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: expected lines like listen: 127.0.0.1:8069", name, root.Line)
	}
	entries := map[string]entry{}
	var faults []error
	for i := 0; i < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		where := fmt.Sprintf("%s:%d", name, key.Line)
		if _, twice := entries[key.Value]; twice {
			faults = append(faults, fmt.Errorf("%s: %s is set twice", where, key.Value))
			continue
		}
		got, err := parseEntry(key, value, flags)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", where, err))
			continue
		}
		if got != nil {
			entries[key.Value] = entry{*got, where}
		}
	}
	return entries, errors.Join(faults...)
}

// decodeYAML is the root of the one document, nil if there is none.
func decodeYAML(text []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one YAML document")
	}
	if root := doc.Content[0]; root.Tag != "!!null" {
		return root, nil
	}
	return nil, nil
}

// parseEntry is the text of one value, checked; nil for a key left empty.
func parseEntry(key, value *yaml.Node, flags []*kong.Flag) (*string, error) {
	i := slices.IndexFunc(flags, func(f *kong.Flag) bool { return f.Name == key.Value })
	if i < 0 {
		return nil, unknownKey(key.Value, fileKeys(flags))
	}
	flag := flags[i]
	if !mayComeFrom(flag, "file") {
		return nil, fmt.Errorf("%s can't be set in the file; set %s", flag.Name, envName(flag))
	}
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	if value.Tag == "!!null" {
		return nil, nil
	}
	text, err := scalarText(value, flag.Target.Type())
	if err == nil {
		err = tryDecode(flag, text)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag.Name, err)
	}
	return &text, nil
}

// fileKeys are the settings that may stand in the file.
func fileKeys(flags []*kong.Flag) []string {
	var keys []string
	for _, flag := range flags {
		if mayComeFrom(flag, "file") {
			keys = append(keys, flag.Name)
		}
	}
	return keys
}

// scalarText turns a YAML value into the text that a flag would get, if it is
// of the type that the setting wants. It never quotes the value: it may be a
// secret.
func scalarText(value *yaml.Node, want reflect.Type) (string, error) {
	switch {
	case reflect.PointerTo(want).Implements(reflect.TypeFor[structured]()):
		text, err := yaml.Marshal(value)
		return string(text), err
	case want == reflect.TypeFor[Networks]() && value.Kind == yaml.SequenceNode:
		parts := make([]string, len(value.Content))
		for i, item := range value.Content {
			if item.Tag != "!!str" {
				return "", fmt.Errorf("expected a list of texts, item %d is %s", i+1, yamlKind(item))
			}
			parts[i] = item.Value
		}
		return strings.Join(parts, ","), nil
	case want == reflect.TypeFor[ByteSize]() && (value.Tag == "!!int" || value.Tag == "!!str"):
		return value.Value, nil
	case want == reflect.TypeFor[ByteSize]():
		return "", fmt.Errorf("expected a size like 8MiB, found %s", yamlKind(value))
	case want.Kind() == reflect.Bool && value.Tag != "!!bool":
		return "", fmt.Errorf("expected true or false, found %s", yamlKind(value))
	case want.Kind() == reflect.Int && value.Tag != "!!int":
		return "", fmt.Errorf("expected a whole number, found %s", yamlKind(value))
	case want.Kind() == reflect.Bool, want.Kind() == reflect.Int, value.Tag == "!!str":
		return value.Value, nil
	}
	return "", fmt.Errorf("expected text, found %s", yamlKind(value))
}

// yamlKind names what a value is, for people.
func yamlKind(value *yaml.Node) string {
	switch value.Tag {
	case "!!str":
		return "text"
	case "!!bool":
		return "true or false (quote it if you mean the word)"
	case "!!int", "!!float":
		return "a number (quote it if you mean its digits)"
	case "!!seq":
		return "a list"
	case "!!map":
		return "a group of keys"
	}
	return "a value of type " + value.Tag
}

// unknownKey names the key that was probably meant.
func unknownKey(key string, known []string) error {
	if near := nearest.Word(key, known); near != "" {
		return fmt.Errorf("unknown key %q; did you mean %q?", key, near)
	}
	return fmt.Errorf("unknown key %q; known are %s", key, strings.Join(known, ", "))
}
