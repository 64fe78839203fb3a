// Package generate is the command that proposes a random value which nobody sees.
package generate

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/secretreview/secretreview/internal/cli/exit"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/propose"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/sensitive"
)

const (
	long = `Propose a strong random value of a key. It is shown to nobody: whoever may read what is
live reads it there, once the change is applied.`

	examples = `  # A new session key
  {{P}} generate SESSION_KEY -r "Rotate the session key"

  # 64 hexadecimal digits
  {{P}} generate ENCRYPTION_KEY --length 64 --charset hex -r "First key"`

	defaultLength, minLength, maxLength = 32, 8, 4096

	digits  = "0123456789"
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// charsets are what values are made of, by name. None has a character that a
// shell, a URL or a dotenv file treats specially, but for symbols.
var charsets = map[string]string{
	"alnum":     digits + letters,
	"letters":   letters,
	"digits":    digits,
	"hex":       digits + "abcdef",
	"base64url": digits + letters + "-_",
	"symbols":   digits + letters + "!#%&()*+,-./:;<=>?@[]^_{|}~",
}

const defaultCharset = "alnum"

// options are the command's own flags.
type options struct {
	propose.Options
	length  int
	charset string
}

// New returns the command.
func New(f *factory.Factory) *cobra.Command {
	o := &options{Options: propose.Options{Factory: f}}
	command := &cobra.Command{
		Use:                   "generate KEY -r REASON [--length N] [--charset NAME]",
		DisableFlagsInUseLine: true,
		Short:                 "Propose a random value that nobody sees",
		Long:                  long,
		Example:               strings.ReplaceAll(examples, "{{P}}", f.Program),
		Args:                  oneKey,
		RunE: func(cmd *cobra.Command, args []string) error {
			value, err := o.value(args[0])
			if err != nil {
				return err
			}
			o.Values = document.Document{args[0]: value}
			return o.Run(cmd.Context())
		},
	}
	flags := command.Flags()
	o.AddFlags(flags)
	flags.IntVar(&o.length, "length", defaultLength, "how many characters")
	flags.StringVar(&o.charset, "charset", defaultCharset, "of which characters: "+names())
	o.Complete(command)
	if err := command.RegisterFlagCompletionFunc("charset", cobra.FixedCompletions(sorted(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
	return command
}

func oneKey(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return errors.New("it takes one key")
	}
	return nil
}

func sorted() []string {
	var all []string
	for name := range charsets {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func names() string { return strings.Join(sorted(), ", ") }

// value checks the flags and draws a value.
func (o *options) value(key string) (sensitive.Value, error) {
	characters, known := charsets[o.charset]
	switch {
	case document.ValidKey(key) != nil:
		return sensitive.Value{}, exit.Errorf(exit.Usage,
			"that is no key: a key is a letter or '_', then letters, digits, '_', '.' or '-', at most %d bytes in all", document.MaxKeyBytes)
	case !known:
		return sensitive.Value{}, exit.Errorf(exit.Usage, "--charset is %q: choose %s", o.charset, names())
	case o.length < minLength || o.length > maxLength:
		return sensitive.Value{}, exit.Errorf(exit.Usage, "--length is %d: give %d to %d", o.length, minLength, maxLength)
	}
	return draw(o.Factory.Rand, characters, o.length)
}

// draw draws each character alike.
func draw(random io.Reader, characters string, length int) (sensitive.Value, error) {
	value := make([]byte, length)
	for i := range value {
		n, err := rand.Int(random, big.NewInt(int64(len(characters))))
		if err != nil {
			return sensitive.Value{}, fmt.Errorf("draw a random value: %w", err)
		}
		value[i] = characters[n.Int64()]
	}
	return sensitive.New(string(value)), nil
}
