// Package factory holds what every command is given: streams, the cluster,
// AWS, the clock, randomness, what is known of the terminal, and questions to
// the person. Tests replace single fields.
package factory

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/internal/cli/config"
	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/files"
	"github.com/secretreview/secretreview/internal/cli/terminal"
	"github.com/secretreview/secretreview/internal/dotenv"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// Factory is shared by all commands of one invocation.
type Factory struct {
	// IOStreams: answers go to Out; questions, notes and errors to ErrOut.
	genericiooptions.IOStreams

	// Program is how this binary was called, "sr" or "kubectl sr", for usage
	// and for the next steps that messages suggest.
	Program string
	// Version is the release.
	Version string

	Terminal Terminal
	Prompter Prompter
	Clock    clock.Clock
	// Rand is a source of cryptographic randomness.
	Rand io.Reader

	// Directory is where .sr.json is looked for, and where relative paths begin.
	Directory string
	// IgnoreLocal leaves .sr.json out, for the command that writes it.
	IgnoreLocal bool
	// UserConfig is the path of the user's configuration file, which need not
	// be there.
	UserConfig string
	// LegacyConfig is the path of the file of the tool that this one replaces,
	// which need not be there.
	LegacyConfig string
	// Getenv is os.Getenv.
	Getenv func(string) string

	// Environ is os.Environ. Exec runs a program in the place of this one, and
	// returns only where that fails.
	Environ func() []string
	Exec    func(path string, args, environment []string) error

	// Child runs a program on this process's streams until it ends. When ctx does,
	// the program is asked to end, and killed if it does not.
	Child func(ctx context.Context, args []string) error
	// Executable is os.Executable, nil where this program cannot start itself.
	Executable func() (string, error)

	// HoldInterrupts leaves Ctrl-C at the terminal to another program, until it is
	// released; nil where there is nothing to hold.
	HoldInterrupts func() (release func())

	// NewStore connects to Secrets Manager in a region, by the SDK's default
	// chain of credentials. Commands call Store.
	NewStore func(ctx context.Context, region string) (secretstore.Store, error)

	// NewAccount connects to the account's other services in a region, or where it
	// is empty in the one that the SDK's default chain finds. Commands call Account.
	NewAccount func(ctx context.Context, region string) (secretstore.Account, error)

	// Flags are the persistent flags that say which project is meant.
	Flags config.Config
	// KubeFlags are kubectl's flags.
	KubeFlags *genericclioptions.ConfigFlags

	config *config.Config
	kube   client.WithWatch
	stores map[string]secretstore.Store
}

// AddFlags binds the flags that every command takes.
func (f *Factory) AddFlags(flags *pflag.FlagSet) {
	flags.StringVarP(&f.Flags.Project, "project", "p", "", "SecretProject, by its Kubernetes name or its name in AWS")
	flags.StringVarP(&f.Flags.Environment, "env", "e", "", "environment of the project")
	kube := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.KubeFlags.AddFlags(kube)
	kube.VisitAll(func(flag *pflag.Flag) {
		flag.Hidden = !shownKubeFlags[flag.Name]
	})
	flags.AddFlagSet(kube)
}

// shownKubeFlags are the flags of kubectl that help lists; all the others work
// as well.
var shownKubeFlags = map[string]bool{"namespace": true, "context": true, "kubeconfig": true, "as": true, "as-group": true, "request-timeout": true}

// Config returns what flags, .sr.json, the user's file and the replaced tool's
// say, in this order. It warns once of a user's file that is not theirs alone.
func (f *Factory) Config() (config.Config, error) {
	if f.config == nil {
		directory := f.Directory
		if f.IgnoreLocal {
			directory = ""
		}
		loaded, err := config.Load(directory, f.UserConfig, f.LegacyConfig)
		if err != nil {
			return config.Config{}, err
		}
		if mode, exposed := config.Exposed(f.UserConfig); exposed {
			_, _ = fmt.Fprintf(f.ErrOut, "Warning: %s can be used by others (mode %#o): run chmod 600 on it.\n", terminal.Escape(f.UserConfig), mode)
		}
		f.config = &loaded
	}
	flags := f.Flags
	flags.Namespace, flags.Context = *f.KubeFlags.Namespace, *f.KubeFlags.Context
	return flags.Over(*f.config), nil
}

// Store connects to Secrets Manager in region, once for each.
func (f *Factory) Store(ctx context.Context, region string) (secretstore.Store, error) {
	if store, ok := f.stores[region]; ok {
		return store, nil
	}
	store, err := f.NewStore(ctx, region)
	if err != nil {
		return nil, err
	}
	if f.stores == nil {
		f.stores = map[string]secretstore.Store{}
	}
	f.stores[region] = store
	return store, nil
}

// Account connects to what an AWS account tells beside its secrets. Without a
// region it is asked in the one of the configuration, or else of the SDK's
// default chain.
func (f *Factory) Account(ctx context.Context, region string) (secretstore.Account, error) {
	c, err := f.Config()
	if err != nil {
		return nil, err
	}
	return f.NewAccount(ctx, cmp.Or(region, c.Region))
}

// Path makes a path that a person gave absolute.
func (f *Factory) Path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(f.Directory, path)
}

// ReadIn reads all of In, at most limit+1 bytes, until ctx ends.
func (f *Factory) ReadIn(ctx context.Context, limit int64) ([]byte, error) {
	return wait(ctx, func() ([]byte, error) { return io.ReadAll(io.LimitReader(f.In, limit+1)) })
}

// StdinMark is how In is given as a file.
const StdinMark = "-"

// ReadFile reads a file of values, or In, at most limit+1 bytes of it. It fails
// with an exit.Error of Usage where there is no such file.
func (f *Factory) ReadFile(ctx context.Context, name string, limit int64) ([]byte, error) {
	var text []byte
	var err error
	if name == StdinMark {
		text, err = f.ReadIn(ctx, limit)
	} else {
		text, err = files.Read(f.Path(name), limit)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, exit.Errorf(exit.Usage, "there is no file %s: look at the path", name)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return text, nil
}

// ReadDotenv is ReadFile for a dotenv file. No error holds content.
func (f *Factory) ReadDotenv(ctx context.Context, name string) (dotenv.File, error) {
	text, err := f.ReadFile(ctx, name, dotenv.MaxBytes)
	if err != nil {
		return dotenv.File{}, err
	}
	file, err := dotenv.Parse(bytes.NewReader(text))
	if err != nil {
		return dotenv.File{}, fmt.Errorf("%s, %w", name, err)
	}
	return file, nil
}

// NoArgs is a cobra.PositionalArgs for commands that take flags only. It does
// not quote what it refuses, which may be a value.
func NoArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return errors.New("it takes no arguments, only flags")
	}
	return nil
}
