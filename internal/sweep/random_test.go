package sweep_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/sweep"
)

// pick draws from few values, so that secrets and claims often meet.
func pick(random *rand.Rand, values ...string) string { return values[random.IntN(len(values))] }

func randomARN(random *rand.Rand) string { return fmt.Sprint("arn:", random.IntN(3)) }

func randomSecret(random *rand.Rand) sweep.Secret {
	tags := naming.StagedTags{
		Cluster: pick(random, cluster, cluster, "green"), Namespace: pick(random, "a", "b"),
		Project: pick(random, "p", "q"), Environment: pick(random, "dev", "production"), Change: pick(random, "x", "y"),
		KeepUntil: now.Add(time.Duration(random.IntN(240)-180) * time.Minute),
	}
	s := sweep.Secret{
		ARN: randomARN(random), Name: naming.StagedSecret(pick(random, prefix, prefix, prefix, "other/"), tags.Project, tags.Change),
		Tags: tags.Map(), CreatedAt: now.Add(-time.Duration(random.IntN(240)) * time.Minute),
	}
	if random.IntN(3) == 0 {
		scheduled(&s)
	}
	if random.IntN(6) == 0 {
		key := pick(random, naming.TagStaging, naming.TagCluster, naming.TagChange, naming.TagKeepUntil, naming.TagProject)
		s.Tags[key] = pick(random, "", "true", "x", "q", "2031-05-06T12:00:00")
	}
	return s
}

func randomClaim(random *rand.Rand) sweep.Claim {
	c := sweep.Claim{
		Namespace: pick(random, "a", "b"), Name: pick(random, "x", "y"), UID: fmt.Sprint(random.IntN(1000)),
		Project: pick(random, "p", "q"), Environment: pick(random, "dev", "production"), Finished: random.IntN(2) == 0,
	}
	if random.IntN(4) > 0 {
		c.ARN = randomARN(random)
	}
	return c
}

// TestRandomSweepsKeepTheRules states the rules apart from the code, over
// inputs that no healthy system would give.
func TestRandomSweepsKeepTheRules(t *testing.T) {
	seen := map[sweep.ActionKind]int{}
	for seed := range uint64(20000) {
		random := rand.New(rand.NewPCG(seed, 2))
		var claims []sweep.Claim
		for range random.IntN(6) {
			claims = append(claims, randomClaim(random))
		}
		s := newSweep(claims...)
		secret := randomSecret(random)
		action := s.Decide(secret)
		seen[action.Kind]++
		if action.Kind == sweep.Keep {
			continue
		}

		fail := func(rule string) { t.Fatalf("seed %d: %s: %+v on %+v with %+v", seed, rule, action, secret, claims) }
		if secret.Tags[naming.TagCluster] != cluster || secret.Tags[naming.TagStaging] != "true" {
			fail("another cluster's, or not staged")
		}
		if secret.Name != prefix+"pending/"+secret.Tags[naming.TagProject]+"/"+secret.Tags[naming.TagChange] {
			fail("its name is not what its tags say")
		}
		owner := func(c sweep.Claim) bool {
			return c.ARN == secret.ARN && c.Namespace == secret.Tags[naming.TagNamespace] && c.Name == secret.Tags[naming.TagChange] &&
				c.Project == secret.Tags[naming.TagProject] && c.Environment == secret.Tags[naming.TagEnvironment]
		}
		unfinishedNames := slices.ContainsFunc(claims, func(c sweep.Claim) bool { return c.ARN == secret.ARN && !c.Finished })
		switch action.Kind {
		case sweep.Delete, sweep.DeleteNow:
			if unfinishedNames {
				fail("an unfinished change names it")
			}
			if action.Kind == sweep.DeleteNow {
				if !slices.ContainsFunc(claims, func(c sweep.Claim) bool { return owner(c) && c.Finished }) {
					fail("no finished change is its own")
				}
				break
			}
			keep, err := time.Parse(time.RFC3339, secret.Tags[naming.TagKeepUntil])
			if err != nil || now.Sub(keep) <= time.Hour || now.Sub(secret.CreatedAt) <= time.Hour {
				fail("it is still awaited")
			}
			if secret.DeletedAt != nil {
				fail("it is deleted already")
			}
		case sweep.Restore:
			if secret.DeletedAt == nil || !slices.ContainsFunc(claims, func(c sweep.Claim) bool { return owner(c) && !c.Finished }) {
				fail("restored for nobody")
			}
		case sweep.Keep:
		}
	}
	for _, kind := range []sweep.ActionKind{sweep.Keep, sweep.Delete, sweep.DeleteNow, sweep.Restore} {
		if seen[kind] < 50 {
			t.Errorf("%s came up %d times only", kind, seen[kind])
		}
	}
}

func TestPlanDoesNotDependOnOrder(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 3))
		var claims []sweep.Claim
		var listed []sweep.Secret
		for n := range 12 {
			// Names of changes are unique in a namespace.
			c := randomClaim(random)
			c.Name = fmt.Sprint(c.Name, n)
			claims = append(claims, c)
			listed = append(listed, randomSecret(random))
		}
		want := newSweep(claims...).Plan(listed)
		for range 5 {
			random.Shuffle(len(claims), func(i, j int) { claims[i], claims[j] = claims[j], claims[i] })
			random.Shuffle(len(listed), func(i, j int) { listed[i], listed[j] = listed[j], listed[i] })
			if got := newSweep(claims...).Plan(listed); !slices.Equal(got, want) {
				t.Fatalf("seed %d: got %+v, want %+v", seed, got, want)
			}
		}
	}
}
