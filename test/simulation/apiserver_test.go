package simulation_test

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/policy"
)

// record is a change as it was stored once. What it points to is never written to, so that caches can share it.
type record struct {
	*v1alpha1.SecretChange
	rv int
}

// stored is the project as it was stored once; nil where there is none.
type stored struct {
	*v1alpha1.SecretProject
	rv int
}

// event is what a watch brings.
type event struct {
	record
	gone bool
}

// apiServer is the model of the API server: optimistic locks, finalizers, and watches that may lag.
type apiServer struct {
	w        *world
	changes  []record
	project  stored
	events   []event
	projects []stored
	rv       int
	made     int
}

func (a *apiServer) next() int {
	a.rv++
	return a.rv
}

// named returns the change of a name; nothing if there is none.
func (a *apiServer) named(name string) record {
	for _, r := range a.changes {
		if r.Name == name {
			return r
		}
	}
	return record{}
}

// create stores a new change. The API server's clock is the true one.
func (a *apiServer) create(name string, spec v1alpha1.SecretChangeSpec) record {
	a.made++
	r := record{&v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: namespace, UID: types.UID(fmt.Sprintf("uid-%d", a.made)),
			CreationTimestamp: metav1.NewTime(a.w.now.Truncate(1e9)), Generation: 1,
		},
		Spec: spec, Status: v1alpha1.SecretChangeStatus{ObservedGeneration: -1},
	}, a.next()}
	a.changes = append(a.changes, r)
	a.events = append(a.events, event{record: r})
	return r
}

// update writes a change, if it is still the one of this UID and, where rv is not 0, of this version.
func (a *apiServer) update(name string, uid types.UID, rv int, edit func(*v1alpha1.SecretChange)) (record, bool) {
	for i, r := range a.changes {
		if r.Name != name {
			continue
		}
		if r.UID != uid || (rv != 0 && r.rv != rv) {
			return record{}, false
		}
		edited := *r.SecretChange
		edit(&edited)
		if edited.DeletionTimestamp != nil && len(edited.Finalizers) == 0 {
			a.changes = slices.Delete(a.changes, i, i+1)
			gone := record{&edited, a.next()}
			a.events = append(a.events, event{record: gone, gone: true})
			a.w.books[string(uid)].purged = true
			return gone, true
		}
		a.changes[i] = record{&edited, a.next()}
		a.events = append(a.events, event{record: a.changes[i]})
		return a.changes[i], true
	}
	return record{}, false
}

// remove deletes a change, which waits for its finalizers.
func (a *apiServer) remove(r record) {
	a.update(r.Name, r.UID, 0, func(c *v1alpha1.SecretChange) {
		if c.DeletionTimestamp == nil {
			at := metav1.NewTime(a.w.now)
			c.DeletionTimestamp = &at
		}
	})
}

// makeProject stores a new project of the same name as ever.
func (a *apiServer) makeProject(spec v1alpha1.SecretProjectSpec) {
	a.storeProject(&v1alpha1.SecretProject{
		ObjectMeta: metav1.ObjectMeta{Name: projectName, Namespace: namespace, UID: types.UID(fmt.Sprintf("project-%d", a.next())), Generation: 1},
		Spec:       spec,
	})
}

func (a *apiServer) storeProject(p *v1alpha1.SecretProject) {
	a.project = stored{p, a.next()}
	a.projects = append(a.projects, a.project)
}

func (a *apiServer) editProject(edit func(*v1alpha1.SecretProjectSpec)) {
	if a.project.SecretProject == nil {
		return
	}
	p := *a.project.SecretProject
	p.Spec.Environments = slices.Clone(p.Spec.Environments)
	edit(&p.Spec)
	p.Generation++
	a.storeProject(&p)
}

// policy is the project's as it is now; ok is false where there is none.
func (a *apiServer) policy() (policy.Effective, bool) {
	if a.project.SecretProject == nil {
		return policy.Effective{}, false
	}
	return policy.For(a.project.SecretProject, environment)
}

// cache is what a manager knows by its watches, of which each may lag.
type cache struct {
	changes      []record
	project      stored
	at, aProject int
}

// advance brings a number of events.
func (c *cache) advance(a *apiServer, changes, projects int) {
	for ; changes > 0 && c.at < len(a.events); changes-- {
		e := a.events[c.at]
		c.at++
		i := slices.IndexFunc(c.changes, func(r record) bool { return r.UID == e.UID })
		switch {
		case e.gone && i >= 0:
			c.changes = slices.Delete(c.changes, i, i+1)
		case e.gone:
		case i >= 0:
			c.changes[i] = e.record
		default:
			c.changes = append(c.changes, e.record)
		}
	}
	if projects > 0 && c.aProject < len(a.projects) {
		c.aProject = min(c.aProject+projects, len(a.projects))
		c.project = a.projects[c.aProject-1]
	}
}

// sync brings everything.
func (c *cache) sync(a *apiServer) { c.advance(a, len(a.events), len(a.projects)) }
