package storetest

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// listed returns what List finds under prefix, once it finds these names.
func (b *Bench) listed(prefix string, names ...string) map[string]secretstore.Secret {
	b.Helper()
	found := map[string]secretstore.Secret{}
	names = slices.Sorted(slices.Values(names))
	b.eventually(func() error {
		list, err := b.Store.List(b.ctx(), prefix)
		if err != nil {
			return err
		}
		clear(found)
		for _, s := range list {
			found[s.Name] = s
		}
		if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, names) || len(list) != len(names) {
			return fmt.Errorf("under %s there are %v, want %v", prefix, got, names)
		}
		return nil
	})
	return found
}

var listing = map[string]Case{
	"a listing holds exactly what begins with the prefix, case and all": {Run: func(t *testing.T, b *Bench) {
		base := b.Prefix + uuid.NewString()[:8]
		var made []string
		for _, suffix := range []string{"/App/dev", "/App/prod", "/app/dev", "/other/App/dev", "/App"} {
			name := base + suffix
			b.tidy(name)
			b.create(secretstore.CreateInput{Name: name, Value: sensitive.New("v")})
			made = append(made, name)
		}
		b.listed(base, made...)
		b.listed(base+"/App/", made[0], made[1])
		b.listed(base+"/App", made[0], made[1], made[4])
		b.listed(base+"/app/", made[2])
		b.listed(base + "/none")
	}},
	"a listing says what a description says": {Run: func(t *testing.T, b *Bench) {
		name, first := b.name(""), uuid.NewString()
		tags := map[string]string{"secretreview:cluster": "one"}
		b.create(secretstore.CreateInput{Name: name, VersionID: first, Value: sensitive.New("v"), Tags: tags, KMSKeyID: b.KMSKeyID})
		second := b.put(name, "w", "sr-1")
		b.mustMove(name, current, first, second)
		want := map[string][]string{first: {previous}, second: {current, "sr-1"}}
		b.eventually(func() error {
			s, described := b.listed(name, name)[name], b.describe(name)
			if s.ARN != described.ARN || s.KMSKeyID != described.KMSKeyID || !maps.Equal(s.Tags, tags) ||
				!s.CreatedAt.Equal(described.CreatedAt) || !maps.EqualFunc(s.Versions, want, slices.Equal) {
				return fmt.Errorf("listed as %+v, described as %+v", s, described)
			}
			return nil
		})
	}},
	"a listing holds what is scheduled for deletion": {Run: func(t *testing.T, b *Bench) {
		name, _ := b.secret("v")
		b.schedule(name)
		b.eventually(func() error {
			if b.listed(name, name)[name].DeletedAt == nil {
				return fmt.Errorf("%s is not shown as scheduled for deletion", name)
			}
			return nil
		})
	}},
	"a listing does not end with its first page": {Run: func(t *testing.T, b *Bench) {
		prefix := b.Prefix + uuid.NewString()[:8] + "/"
		var names []string
		for i := range 103 {
			name := fmt.Sprintf("%s%03d", prefix, i)
			b.tidy(name)
			b.create(secretstore.CreateInput{Name: name, Value: sensitive.New("v")})
			names = append(names, name)
		}
		b.listed(prefix, names...)
	}},
}
