package emulator

import (
	"crypto/rand"
	"math/big"
	"strings"
)

type randomPasswordInput struct {
	PasswordLength                                                     *int
	ExcludeCharacters                                                  string
	ExcludeNumbers, ExcludePunctuation, ExcludeUppercase, IncludeSpace bool
	ExcludeLowercase                                                   bool
	RequireEachIncludedType                                            *bool
}

type randomPasswordOutput struct{ RandomPassword string }

// Bounds of the API reference.
const (
	defaultPasswordLength = 32
	maxPasswordLength     = 4096
)

func getRandomPassword(_ *request, in *randomPasswordInput) (*randomPasswordOutput, error) {
	length := defaultPasswordLength
	if in.PasswordLength != nil {
		length = *in.PasswordLength
	}
	classes := in.classes()
	each := in.RequireEachIncludedType == nil || *in.RequireEachIncludedType
	if length < 1 || length > maxPasswordLength || len(classes) == 0 || each && length < len(classes) {
		return nil, failure("InvalidParameterException", "No password of length %d can be made of the included types.", length)
	}
	everything := strings.Join(classes, "")
	var password []byte
	if each {
		for _, class := range classes {
			password = append(password, pick(class))
		}
	}
	for len(password) < length {
		password = append(password, pick(everything))
	}
	for i := len(password) - 1; i > 0; i-- {
		j := below(i + 1)
		password[i], password[j] = password[j], password[i]
	}
	return &randomPasswordOutput{RandomPassword: string(password)}, nil
}

func (in *randomPasswordInput) classes() []string {
	var classes []string
	for _, c := range []struct {
		characters string
		excluded   bool
	}{
		{"abcdefghijklmnopqrstuvwxyz", in.ExcludeLowercase},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", in.ExcludeUppercase},
		{"0123456789", in.ExcludeNumbers},
		{"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", in.ExcludePunctuation},
		{" ", !in.IncludeSpace},
	} {
		left := strings.Map(func(r rune) rune {
			if c.excluded || strings.ContainsRune(in.ExcludeCharacters, r) {
				return -1
			}
			return r
		}, c.characters)
		if left != "" {
			classes = append(classes, left)
		}
	}
	return classes
}

func pick(from string) byte { return from[below(len(from))] }

func below(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return int(i.Int64())
}
