package selector

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// listing answers each List by its continue token.
func listing(t *testing.T, answer func(token string, list *v1alpha1.SecretChangeList) error) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return interceptor.NewClient(fake.NewClientBuilder().WithScheme(scheme).Build(), interceptor.Funcs{
		List: func(_ context.Context, _ client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			var asked client.ListOptions
			asked.ApplyOptions(options)
			if asked.Limit != pageSize {
				t.Errorf("asked for %d at a time", asked.Limit)
			}
			return answer(asked.Continue, list.(*v1alpha1.SecretChangeList))
		},
	})
}

func page(list *v1alpha1.SecretChangeList, next string, names ...string) {
	list.Continue = next
	for _, name := range names {
		list.Items = append(list.Items, v1alpha1.SecretChange{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
}

func expired(next string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusGone, Reason: metav1.StatusReasonExpired, ListMeta: metav1.ListMeta{Continue: next},
	}}
}

func TestEach(t *testing.T) {
	broken := errors.New("connection refused")
	for name, c := range map[string]struct {
		answer func(token string, list *v1alpha1.SecretChangeList) error
		want   []string
		fails  bool
	}{
		"goes through all pages": {
			answer: func(token string, list *v1alpha1.SecretChangeList) error {
				if token == "" {
					page(list, "2", "a", "b")
				} else {
					page(list, "", "c")
				}
				return nil
			},
			want: []string{"a", "b", "c"},
		},
		"goes on where the API server forgot the first page": {
			answer: func(token string, list *v1alpha1.SecretChangeList) error {
				switch token {
				case "":
					page(list, "old", "a")
				case "old":
					return expired("new")
				default:
					page(list, "", "b")
				}
				return nil
			},
			want: []string{"a", "b"},
		},
		"does not ask for ever": {
			answer: func(string, *v1alpha1.SecretChangeList) error { return expired("same") },
			fails:  true,
		},
		"fails where it cannot go on": {
			answer: func(token string, list *v1alpha1.SecretChangeList) error {
				if token == "" {
					page(list, "2", "a")
					return nil
				}
				return broken
			},
			want: []string{"a"}, fails: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			err := Each(t.Context(), listing(t, c.answer), Filter{Namespace: "demo"}, func(change *v1alpha1.SecretChange) { got = append(got, change.Name) })
			if !slices.Equal(got, c.want) || (err != nil) != c.fails {
				t.Errorf("got %v, %v", got, err)
			}
			if err != nil && !strings.HasPrefix(err.Error(), `list the changes in namespace "demo": `) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFilterIsAppliedByTheAPIServer(t *testing.T) {
	for name, c := range map[string]struct {
		filter Filter
		want   string
	}{
		"nothing":            {Filter{}, ""},
		"an environment":     {Filter{Project: "p", Environment: "e"}, "spec.environment=e,spec.project=p"},
		"what is pending":    {Filter{Phases: Pending}, "status.phase=Pending"},
		"what is unfinished": {Filter{Phases: Unfinished}, "status.phase!=Applied,status.phase!=Conflicted,status.phase!=Expired,status.phase!=Invalid,status.phase!=Rejected"},
		"what has ended":     {Filter{Phases: Finished}, "status.phase!=,status.phase!=Approved,status.phase!=Pending"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked client.ListOptions
			asked.ApplyOptions(c.filter.options())
			got := ""
			if asked.FieldSelector != nil {
				terms := strings.Split(asked.FieldSelector.String(), ",")
				slices.Sort(terms)
				got = strings.Join(terms, ",")
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
