package emulator

import (
	"cmp"
	"slices"
	"time"
)

type listSecretsInput struct {
	Filters                      []filter
	IncludePlannedDeletion       bool
	MaxResults                   int
	NextToken, SortBy, SortOrder string
}

type listEntry struct {
	metadata
	SecretVersionsToStages map[string][]string `json:",omitempty"`
}

type listSecretsOutput struct {
	SecretList []listEntry
	NextToken  string `json:",omitempty"`
}

func listSecrets(r *request, in *listSecretsInput) (*listSecretsOutput, error) {
	if err := checkFilters(in.Filters); err != nil {
		return nil, err
	}
	page, next, err := r.page(in, in.IncludePlannedDeletion)
	if err != nil {
		return nil, err
	}
	out := &listSecretsOutput{SecretList: []listEntry{}, NextToken: next}
	for _, s := range page {
		out.SecretList = append(out.SecretList, listEntry{metadata: s.metadata(), SecretVersionsToStages: s.labels()})
	}
	return out, nil
}

var sortings = map[string]func(a, b *secret) int{
	"":                   byTime(func(s *secret) time.Time { return s.created }),
	"created-date":       byTime(func(s *secret) time.Time { return s.created }),
	"last-accessed-date": byTime(func(s *secret) time.Time { return s.accessed }),
	"last-changed-date":  byTime(func(s *secret) time.Time { return s.changed }),
	"name":               func(a, b *secret) int { return cmp.Compare(a.name, b.name) },
}

func byTime(of func(*secret) time.Time) func(a, b *secret) int {
	return func(a, b *secret) int { return of(a).Compare(of(b)) }
}

// page returns one page of the secrets that pass the filters. Its token names
// the last secret shown, so that one which goes between two pages hides no other.
func (r *request) page(in *listSecretsInput, includeDeletion bool) ([]*secret, string, error) {
	size, err := pageSize(in.MaxResults)
	if err != nil {
		return nil, "", err
	}
	compare, ok := sortings[in.SortBy]
	if !ok {
		return nil, "", constraint("sortBy", "Member must satisfy enum value set")
	}
	var all []*secret
	for _, s := range r.e.view(r.stale) {
		if (includeDeletion || !s.inDeletion()) && s.passes(in.Filters) {
			all = append(all, s)
		}
	}
	ordered := func(a, b *secret) int { return cmp.Or(compare(a, b), cmp.Compare(a.serial, b.serial)) }
	if in.SortOrder == "desc" {
		asc := ordered
		ordered = func(a, b *secret) int { return asc(b, a) }
	}
	slices.SortFunc(all, ordered)
	if in.NextToken != "" {
		if all, err = after(all, in.NextToken, in.SortOrder == "desc"); err != nil {
			return nil, "", err
		}
	}
	if len(all) <= size {
		return all, "", nil
	}
	return all[:size], tokenFor(all[size-1].serial), nil
}

func after(all []*secret, token string, desc bool) ([]*secret, error) {
	last, err := fromToken(token)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(s *secret) bool { return s.serial == last }); i >= 0 {
		return all[i+1:], nil
	}
	i := slices.IndexFunc(all, func(s *secret) bool { return s.serial > last != desc })
	if i < 0 {
		return nil, nil
	}
	return all[i:], nil
}
