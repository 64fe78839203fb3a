package rewind

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// cluster answers with one revision after the other, and with an error where one is empty; then with the last.
type cluster struct {
	client.Reader
	revisions []string
}

func (c *cluster) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	now := c.revisions[0]
	if len(c.revisions) > 1 {
		c.revisions = c.revisions[1:]
	}
	if now == "" {
		return errors.New("nobody answers")
	}
	list.(*v1alpha1.SecretProjectList).ResourceVersion = now
	return nil
}

func TestAManagerEndsWhenItsClusterWasPutBack(t *testing.T) {
	for name, c := range map[string]struct {
		revisions []string
		ends      bool
	}{
		"nothing is written":                         {[]string{"7"}, false},
		"revisions grow":                             {[]string{"7", "8", "100"}, false},
		"one is older than the one before":           {[]string{"7", "100", "99"}, true},
		"it is told by number, not by text":          {[]string{"99", "100"}, false},
		"it was put back while nobody answered":      {[]string{"100", "", "", "20"}, true},
		"nobody answers in the beginning":            {[]string{"", "20", "21"}, false},
		"what is no revision is compared with none":  {[]string{"100", "0", "101"}, false},
		"it is put back, and passes where it was":    {[]string{"100", "20", "200"}, true},
		"it was put back before the manager started": {[]string{"20", "21"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				err := (&Watch{Reader: &cluster{revisions: c.revisions}, Clock: clock.RealClock{}, Interval: DefaultInterval}).Start(ctx)
				if ended := err != nil; ended != c.ends || ended && !strings.Contains(err.Error(), "put back") {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}
