package selector

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

func TestNewestKeepsTheLatestInWhateverOrderTheyCome(t *testing.T) {
	const count = 1000
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, limit := range []int{0, 1, 20, 999, 1000, 5000} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			order := rand.New(rand.NewPCG(1, uint64(limit))).Perm(count)
			kept := &newest{limit: limit}
			for _, n := range order {
				at := metav1.NewMicroTime(start.Add(time.Duration(n/2) * time.Second)) // two end at once
				c := &v1alpha1.SecretChange{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%04d", n)}}
				c.Status.FinishedAt = &at
				kept.add(c)
				if limit > 0 && len(kept.kept) > 2*limit+slack {
					t.Fatalf("it holds %d of at most %d", len(kept.kept), limit)
				}
			}
			want := count
			if limit > 0 {
				want = min(limit, count)
			}
			got := kept.sorted()
			if len(got) != want || kept.seen != count {
				t.Fatalf("got %d of %d, want %d of %d", len(got), kept.seen, want, count)
			}
			for i, c := range got {
				if name := fmt.Sprintf("%04d", count-1-i); c.Name != name {
					t.Fatalf("place %d has %s, want %s", i, c.Name, name)
				}
			}
			if !slices.IsSortedFunc(got, func(a, b v1alpha1.SecretChange) int { return b.Status.FinishedAt.Compare(a.Status.FinishedAt.Time) }) {
				t.Error("it is not sorted")
			}
		})
	}
}
