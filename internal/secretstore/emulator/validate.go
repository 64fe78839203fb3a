package emulator

import (
	"regexp"
	"strings"

	"github.com/secretreview/secretreview/internal/secretstore"
)

var namePattern = regexp.MustCompile(`^[A-Za-z0-9/_+=.@!-]+$`)

// Bounds of the API reference.
const (
	maxNameLength  = 512
	minToken       = 32
	maxToken       = 64
	maxLabelLength = 256
	maxTags        = 50
	maxTagKey      = 128
	maxTagValue    = 256
)

func constraint(member, rule string) *apiError {
	return frontEndFailure("ValidationException", "1 validation error detected: Value at '%s' failed to satisfy constraint: %s", member, rule)
}

func checkName(name string) error {
	switch {
	case name == "":
		return constraint("name", "Member must have length greater than or equal to 1")
	case len(name) > maxNameLength:
		return constraint("name", "Member must have length less than or equal to 512")
	case !namePattern.MatchString(name):
		return errName
	}
	return nil
}

func checkSecretID(id string) error {
	if id == "" {
		return constraint("secretId", "Member must not be null")
	}
	if strings.HasPrefix(id, "arn:") {
		return nil
	}
	return checkName(id)
}

func checkToken(token string) error {
	if token == "" {
		return errNoToken
	}
	if len(token) < minToken || len(token) > maxToken {
		return failure("InvalidParameterException", "ClientRequestToken must be 32-64 characters long.")
	}
	return nil
}

func checkVersionID(member, id string) error {
	if id != "" && (len(id) < minToken || len(id) > maxToken) {
		return constraint(member, "Member must have length between 32 and 64, inclusive")
	}
	return nil
}

func checkLabelNames(labels []string) error {
	if len(labels) > secretstore.MaxLabels {
		return constraint("versionStages", "Member must have length less than or equal to 20")
	}
	for _, l := range labels {
		if l == "" || len(l) > maxLabelLength {
			return constraint("versionStages", "Member must have length between 1 and 256, inclusive")
		}
	}
	return nil
}

func checkTags(tags []tag) error {
	for _, t := range tags {
		if t.Key == "" || len(t.Key) > maxTagKey {
			return constraint("tags", "Member must have key length between 1 and 128, inclusive")
		}
		if len(t.Value) > maxTagValue {
			return constraint("tags", "Member must have value length less than or equal to 256")
		}
		if strings.HasPrefix(t.Key, "aws:") {
			return failure("InvalidParameterException", "Tag keys that begin with aws: are reserved.")
		}
	}
	return nil
}

// content is what a request carries as a value, in the two forms that exist.
type content struct {
	SecretString *string
	SecretBinary *string
}

func (c content) given() bool { return c.SecretString != nil || c.SecretBinary != nil }

func (c content) check() error {
	if c.SecretString != nil && c.SecretBinary != nil {
		return failure("InvalidParameterException", "You can't specify both a binary secret value and a string secret value in the same secret.")
	}
	if c.SecretString != nil {
		return checkLength("secretString", len(*c.SecretString))
	}
	if c.SecretBinary != nil {
		n, ok := decodedLength(*c.SecretBinary)
		if !ok {
			return frontEndFailure("SerializationException", "SecretBinary is not base64")
		}
		return checkLength("secretBinary", n)
	}
	return nil
}

func checkLength(member string, n int) error {
	if n < 1 {
		return constraint(member, "Member must have length greater than or equal to 1")
	}
	if n > secretstore.MaxValueBytes {
		return constraint(member, "Member must have length less than or equal to 65536")
	}
	return nil
}
