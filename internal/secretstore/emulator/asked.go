package emulator

import (
	"cmp"
	"encoding/json"
	"slices"
)

// Asked is a right that a call needed and that its caller had: what IAM was
// asked, with the context that its conditions may look at. It holds no value.
type Asked struct {
	AccessKeyID string `json:"accessKeyId,omitempty"`
	// Operation is the call, Action what it needed the right to, such as
	// "kms:Decrypt".
	Operation string `json:"operation"`
	Action    string `json:"action"`
	// Resource is an ARN, the key as the secret names it, or "*".
	Resource string `json:"resource"`
	// SecretID says that the call named the secret by SecretId, as all do but
	// those that create one.
	SecretID bool `json:"secretId,omitempty"`
	// KMSKeyID is the key that a CreateSecret names.
	KMSKeyID string `json:"kmsKeyId,omitempty"`
	// SecretARN is, of a right on a key, the secret that it is used for.
	SecretARN    string            `json:"secretArn,omitempty"`
	RequestTags  map[string]string `json:"requestTags,omitempty"`
	ResourceTags map[string]string `json:"resourceTags,omitempty"`

	// name is what rules call the resource.
	name string
}

// Asked returns every right that a call needed and had, each once, in the same
// order for the same calls.
func (e *Emulator) Asked() []Asked {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]Asked, 0, len(e.asked))
	for _, one := range e.asked {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Asked) int { return cmp.Compare(a.key(), b.key()) })
	return all
}

func (a Asked) key() string {
	text, _ := json.Marshal(a) // strings and maps of them always encode
	return string(text)
}

// remember must be called with mu held.
func (e *Emulator) remember(asked []Asked) {
	for _, one := range asked {
		one.name = ""
		if len(e.asked) < maxCalls {
			e.asked[one.key()] = one
		}
	}
}
