package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"

	"github.com/alecthomas/kong"
)

// defaultFile is read when no other file is named, and may be absent.
const defaultFile = "gatehouse.yaml"

// lookup finds a variable of the environment.
type lookup func(name string) (string, bool)

// layers gives kong the values that the command line left open: the variable
// if there is one, else the key of the file. It notes where each came from.
type layers struct {
	env      lookup
	fileUsed string // name of the file that was read
	file     map[string]entry
	sources  map[string]string
}

// read runs once the command line is parsed and before anything is resolved:
// only then the name of the file is known.
func (l *layers) read(ctx *kong.Context) error {
	flags := settings(ctx.Model)
	for _, path := range ctx.Path {
		if path.Flag == nil || envName(path.Flag) == "" {
			continue
		}
		if !mayComeFrom(path.Flag, "flag") {
			return fmt.Errorf("--%s: a command line can be read by every user of the machine; set %s",
				path.Flag.Name, envName(path.Flag))
		}
		l.sources[path.Flag.Name] = "--" + path.Flag.Name
	}
	name, named, err := l.fileName(ctx, flags)
	if err != nil || name == "" {
		return err
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil
	}
	if err != nil {
		return err
	}
	l.fileUsed = name
	l.file, err = parseFile(name, text, flags)
	return err
}

// fileName is the configuration file, and whether somebody named it. An empty
// --config asks for no file at all.
func (l *layers) fileName(ctx *kong.Context, flags []*kong.Flag) (name string, named bool, err error) {
	i := slices.IndexFunc(flags, func(f *kong.Flag) bool { return f.Name == "config" })
	if i < 0 {
		return "", false, errors.New("no flag --config")
	}
	if _, given := l.sources["config"]; given {
		name, ok := ctx.FlagValue(flags[i]).(string)
		if !ok {
			return "", false, errors.New("--config is no text")
		}
		return name, true, nil
	}
	if name := l.variable(flags[i]); name != "" {
		return name, true, nil
	}
	return defaultFile, false, nil
}

// variable is the value of a setting's variable. An empty one counts as unset,
// as compose files and unit files leave variables empty that nobody filled in.
func (l *layers) variable(flag *kong.Flag) string {
	value, _ := l.env(envName(flag))
	return value
}

// Validate has nothing to add: parseFile has checked every key.
func (l *layers) Validate(*kong.Application) error { return nil }

// Resolve finds the value of a flag that the command line did not set.
func (l *layers) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if envName(flag) == "" {
		return nil, nil
	}
	if value := l.variable(flag); value != "" {
		if err := tryDecode(flag, value); err != nil {
			return nil, fmt.Errorf("%s: %w", envName(flag), err)
		}
		l.sources[flag.Name] = envName(flag)
		return value, nil
	}
	if found, ok := l.file[flag.Name]; ok {
		l.sources[flag.Name] = found.source
		return found.value, nil
	}
	return nil, nil
}

// tryDecode checks a text against the type and the enum of a setting, so that
// the error can name the variable or line that holds it: kong's own would
// speak of a flag that nobody wrote.
func tryDecode(flag *kong.Flag, value string) error {
	if flag.Enum != "" && !flag.EnumMap()[value] {
		return fmt.Errorf("%q is none of %s", value, flag.Enum)
	}
	scan := kong.Scan().PushTyped(value, kong.FlagValueToken)
	scratch := reflect.New(flag.Target.Type()).Elem()
	return flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, scratch)
}
