package emulator_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

func (c *client) list(body fields) (names []string, next any) {
	c.t.Helper()
	answer := c.must("ListSecrets", body)
	for _, s := range answer["SecretList"].([]any) {
		names = append(names, s.(fields)["Name"].(string))
	}
	return names, answer["NextToken"]
}

// What the filters match was recorded, for names and descriptions, and is
// documented, for the others.
func TestFilters(t *testing.T) {
	client := newClient(t, emulator.Options{})
	for _, s := range []struct {
		name, description string
		tags              []fields
	}{
		{"testing1/one", "a secret", tags("Team", "Blue")},
		{"/testing2/two", "an secret", tags("team", "blue")},
		{"testing3/three", "asecret", nil},
		{"/testing4/four", "thesecret", tags("Team", "Green", "other", "Blue")},
	} {
		client.must("CreateSecret", fields{"Name": s.name, "SecretString": "v", "Description": s.description, "Tags": s.tags})
	}
	const one, two, three, four = "testing1/one", "/testing2/two", "testing3/three", "/testing4/four"
	filter := func(key string, values ...string) fields { return fields{"Key": key, "Values": values} }
	for name, c := range map[string]struct {
		filters []fields
		want    []string
	}{
		"none":                                       {nil, []string{one, two, three, four}},
		"a name begins with the value":               {[]fields{filter("name", "/")}, []string{two, four}},
		"a name does not begin with the value":       {[]fields{filter("name", "!/")}, []string{one, three}},
		"a name is not split into words":             {[]fields{filter("name", "testing1 one")}, nil},
		"a name is compared case and all":            {[]fields{filter("name", "Testing")}, nil},
		"any of several values":                      {[]fields{filter("name", "testing1", "/testing4")}, []string{one, four}},
		"a description's word begins with the value": {[]fields{filter("description", "a")}, []string{one, two, three}},
		"no word of a description does":              {[]fields{filter("description", "!a")}, []string{four}},
		"each word of the value begins a word":       {[]fields{filter("description", "a secret")}, []string{one, two}},
		"a description is compared without case":     {[]fields{filter("description", "THE")}, []string{four}},
		"no description has the word":                {[]fields{filter("description", "!c")}, []string{one, two, three, four}},
		"several filters all have to match":          {[]fields{filter("description", "a"), filter("name", "testing")}, []string{one, three}},
		"a tag's key, case and all":                  {[]fields{filter("tag-key", "Tea")}, []string{one, four}},
		"a tag's value, case and all":                {[]fields{filter("tag-value", "Bl")}, []string{one, four}},
		"a key and a value of tags that differ":      {[]fields{filter("tag-key", "Team"), filter("tag-value", "Blue")}, []string{one, four}},
		"everything, by word and without case":       {[]fields{filter("all", "blue")}, []string{one, two, four}},
		"everything, where one word is in the name":  {[]fields{filter("all", "blue testing2")}, []string{two}},
		"an owning service that no secret has":       {[]fields{filter("owning-service", "rds")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := client.list(fields{"Filters": c.filters}); !slices.Equal(got, c.want) {
				t.Errorf("found %v, want %v", got, c.want)
			}
		})
	}
}

func TestPagesSkipNothingWhenASecretGoesBetweenThem(t *testing.T) {
	client := newClient(t, emulator.Options{})
	for i := range 6 {
		client.must("CreateSecret", fields{"Name": fmt.Sprint("s", i), "SecretString": "v"})
	}
	first, next := client.list(fields{"MaxResults": 2})
	client.must("DeleteSecret", fields{"SecretId": "s1", "ForceDeleteWithoutRecovery": true})
	second, next := client.list(fields{"MaxResults": 2, "NextToken": next})
	third, next := client.list(fields{"MaxResults": 2, "NextToken": next})
	if got := slices.Concat(first, second, third); !slices.Equal(got, []string{"s0", "s1", "s2", "s3", "s4", "s5"}) || next != nil {
		t.Errorf("saw %v and then %v", got, next)
	}
}

func TestOrderOfAListing(t *testing.T) {
	client := newClient(t, emulator.Options{Clock: clock()})
	for _, name := range []string{"b", "c", "a"} {
		client.must("CreateSecret", fields{"Name": name, "SecretString": "v"})
		client.emulator.Advance(1e9)
	}
	client.must("PutSecretValue", fields{"SecretId": "b", "SecretString": "w"})
	for want, body := range map[string]fields{
		"[b c a]": {},
		"[a c b]": {"SortOrder": "desc"},
		"[a b c]": {"SortBy": "name"},
		"[c a b]": {"SortBy": "last-changed-date"},
	} {
		if got, _ := client.list(body); fmt.Sprint(got) != want {
			t.Errorf("%v gives %v, want %s", body, got, want)
		}
	}
}

func TestWhatIsScheduledForDeletionIsListedOnRequest(t *testing.T) {
	client := newClient(t, emulator.Options{})
	client.must("CreateSecret", fields{"Name": "n", "SecretString": "v"})
	client.must("DeleteSecret", fields{"SecretId": "n"})
	if got, _ := client.list(fields{}); got != nil {
		t.Errorf("it is listed: %v", got)
	}
	if got, _ := client.list(fields{"IncludePlannedDeletion": true}); !slices.Equal(got, []string{"n"}) {
		t.Errorf("it is not: %v", got)
	}
}
