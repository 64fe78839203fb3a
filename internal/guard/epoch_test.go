package guard

import (
	"testing"
	"time"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

func TestNextEpoch(t *testing.T) {
	t.Parallel()
	const drawn = 4711
	made := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	checked := made.Add(time.Hour)
	following := checked.Add(time.Second)
	first := []v1alpha1.ObjectRevision{{Kind: "P", Name: "p", UID: "1", Generation: 1}}
	edited := []v1alpha1.ObjectRevision{{Kind: "P", Name: "p", UID: "1", Generation: 2}}
	made2 := []v1alpha1.ObjectRevision{{Kind: "P", Name: "p", UID: "2", Generation: 1}}
	intact := func(policies []v1alpha1.ObjectRevision) observation {
		return observation{Policies: policies, NewestCreation: made, ServerTime: checked}
	}
	weak := observation{Weakness: "weak", Policies: edited, NewestCreation: made}
	cases := map[string]struct {
		known *record
		lost  bool
		seen  observation
		want  record
	}{
		"the first start: they were in force soon after they were made": {
			nil, false, intact(first), record{Epoch: 1, Since: made.Add(EnforcementDelay), Policies: first},
		},
		"the first start on edited ones: what was before is not known": {
			nil, false, intact(edited), record{Epoch: drawn, Since: following, Policies: edited},
		},
		"the first start on weak ones begins with a lapse": {
			nil, false, weak, record{Epoch: drawn, Lapsed: true, Policies: edited},
		},
		"a lost record is followed by a new epoch, though the policies never changed": {
			nil, true, intact(first), record{Epoch: drawn, Since: following, Policies: first},
		},
		"a lost record and weak policies": {
			nil, true, weak, record{Epoch: drawn, Lapsed: true, Policies: edited},
		},
		"nothing has changed": {
			&record{Epoch: 3, Since: made, Policies: first}, false, intact(first),
			record{Epoch: 3, Since: made, Policies: first},
		},
		"a weakness is a lapse of the present epoch": {
			&record{Epoch: 3, Since: made, Policies: first}, false, weak,
			record{Epoch: 3, Since: made, Lapsed: true, Policies: first},
		},
		"a weakness goes on": {
			&record{Epoch: 3, Since: made, Lapsed: true, Policies: first}, false, weak,
			record{Epoch: 3, Since: made, Lapsed: true, Policies: first},
		},
		"after a lapse there is a new epoch, though the objects are the same": {
			&record{Epoch: 3, Since: made, Lapsed: true, Policies: first}, false, intact(first),
			record{Epoch: drawn, Since: following, Policies: first},
		},
		"edited and put right unseen: the generation tells": {
			&record{Epoch: 3, Since: made, Policies: first}, false, intact(edited),
			record{Epoch: drawn, Since: following, Policies: edited},
		},
		"deleted and made anew unseen: the UID tells": {
			&record{Epoch: 3, Since: made, Policies: first}, false, intact(made2),
			record{Epoch: drawn, Since: following, Policies: made2},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := next(c.known, c.lost, drawn, c.seen); !got.equal(c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestAnEpochBeginsBehindTheSecondOfItsCheck(t *testing.T) {
	t.Parallel()
	checked := time.Date(2030, 1, 1, 12, 0, 0, 900, time.UTC)
	got := next(&record{Epoch: 1, Lapsed: true}, false, 9, observation{ServerTime: checked})
	if want := time.Date(2030, 1, 1, 12, 0, 1, 0, time.UTC); !got.Since.Equal(want) {
		t.Errorf("it begins at %s, want %s", got.Since, want)
	}
}

func TestAnEpochCannotBeForeseen(t *testing.T) {
	t.Parallel()
	drawn := map[int64]bool{}
	for range 10_000 {
		n := draw()
		if n <= firstEpoch || n > 1<<53 || drawn[n] {
			t.Fatalf("got %d", n)
		}
		drawn[n] = true
	}
}
