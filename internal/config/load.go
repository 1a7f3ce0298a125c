package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// ErrHelp is what Load answers when the command line asked for help or the
// version: it has been printed, and there is nothing left to do.
var ErrHelp = errors.New("help was printed")

// UsageError is a mistake of whoever started the program: an unknown flag, a
// variable or a key of the file that makes no sense.
type UsageError struct{ cause error }

// Error says what is wrong, and where it was said.
func (e *UsageError) Error() string { return e.cause.Error() }

// Unwrap gives the cause to errors.Is and errors.As.
func (e *UsageError) Unwrap() error { return e.cause }

// Usagef makes a UsageError of a value that only the command itself can judge.
func Usagef(format string, args ...any) error {
	return &UsageError{fmt.Errorf(format, args...)}
}

// ExitCode is the exit code of the process for an error: 0 none, 2 usage, 1
// any other.
func ExitCode(err error) int {
	if err == nil || errors.Is(err, ErrHelp) {
		return 0
	}
	if _, usage := errors.AsType[*UsageError](err); usage {
		return 2
	}
	return 1
}

// Load parses the command line into commands, a pointer to a struct of kong
// commands, with the settings of Config as flags of every command, completed
// from the environment and the configuration file. The *Config is also bound
// for the Run methods of the commands.
func Load(args []string, commands any, options ...kong.Option) (*kong.Context, *Config, error) {
	return load(args, commands, os.LookupEnv, options...)
}

// Default is the configuration that no flag, variable or file has touched.
func Default() *Config {
	none := func(string) (string, bool) { return "", false }
	_, cfg, err := load([]string{"--config="}, &struct{}{}, none)
	if err != nil {
		panic(err) // a default of ours does not parse: a test sees it first
	}
	return cfg
}

func load(args []string, commands any, env lookup, options ...kong.Option) (*kong.Context, *Config, error) {
	cfg := &Config{}
	layers := &layers{env: env, sources: map[string]string{}}
	printed := false
	parser, err := newParser(cfg, commands, append([]kong.Option{
		kong.Exit(func(int) { printed = true }),
		kong.Bind(cfg),
		kong.Resolvers(layers),
		kong.WithBeforeResolve(layers.read),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	}, options...)...)
	if err != nil {
		return nil, nil, err
	}
	ctx, err := parser.Parse(args)
	if printed {
		return nil, nil, ErrHelp
	}
	if err != nil {
		return nil, nil, &UsageError{usageCause(err)}
	}
	cfg.File, cfg.sources = layers.fileUsed, layers.sources
	if name, why := cfg.invalid(); name != "" {
		return nil, nil, &UsageError{fmt.Errorf("%s: %s %s", cfg.Source(name), name, why)}
	}
	return ctx, cfg, nil
}

// newParser builds the kong parser of commands with the settings as global
// flags. kong itself must not read the variables: it would let the file win
// over them, and it prints the value of one that does not parse, secret or not.
func newParser(cfg *Config, commands any, options ...kong.Option) (*kong.Kong, error) {
	return kong.New(commands, append([]kong.Option{
		kong.Name("gatehouse"),
		kong.Embed(cfg),
		kong.ExplicitGroups(groups()),
		kong.ValueFormatter(helpText),
		kong.PostBuild(func(k *kong.Kong) error {
			for _, flag := range settings(k.Model) {
				flag.Envs, flag.Tag.Envs = nil, nil
				flag.Hidden = !mayComeFrom(flag, "flag")
			}
			return nil
		}),
	}, options...)...)
}

// settings are the flags of the model that belong to Config: the ones with a
// variable of ours.
func settings(model *kong.Application) []*kong.Flag {
	return slices.DeleteFunc(slices.Clone(model.Flags), func(f *kong.Flag) bool { return envName(f) == "" })
}

// envName is the variable of a setting, "" for any other flag.
func envName(flag *kong.Flag) string {
	if env := flag.Tag.Get("env"); strings.HasPrefix(env, "GATEHOUSE_") {
		return env
	}
	return ""
}

// mayComeFrom says whether a setting may be given by "flag", "env" or "file".
func mayComeFrom(flag *kong.Flag, place string) bool {
	from := flag.Tag.Get("from")
	return from == "" || slices.Contains(strings.Split(from, ","), place)
}

// usageCause takes kong's wrapper off, which adds nothing to the message.
func usageCause(err error) error {
	if parse, ok := errors.AsType[*kong.ParseError](err); ok {
		return parse.Unwrap()
	}
	return err
}
