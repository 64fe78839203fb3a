package document

import "regexp"

// MaxKeyBytes is the length at most of a key that can be proposed, in bytes.
const MaxKeyBytes = 255

var validKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// ValidKey reports whether a change may set key: it must be one that a dotenv
// file can carry, at most MaxKeyBytes long, or else it is an *Error of
// KindInvalidKey. A live document may hold other keys, put there by other
// means; a change leaves them alone or unsets them.
func ValidKey(key string) error {
	if len(key) > MaxKeyBytes || !validKey.MatchString(key) {
		return &Error{Kind: KindInvalidKey, Key: key}
	}
	return nil
}
