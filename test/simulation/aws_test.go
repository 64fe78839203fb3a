package simulation_test

import (
	"slices"
	"time"

	"github.com/secretreview/secretreview/internal/change"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

// version is one version of a secret. Its value is never changed.
type version struct {
	id     string
	value  sensitive.Value
	labels []string
}

func (v *version) has(label string) bool { return slices.Contains(v.labels, label) }

// secret is one of AWS's, with its rules for labels.
type secret struct {
	arn, name string
	tags      map[string]string
	versions  []*version
	deletedAt *time.Time
	createdAt time.Time
	// described is what Describe says of it, until something changes.
	described *secretstore.Secret
}

func (s *secret) version(id string) *version {
	for _, v := range s.versions {
		if v.id == id {
			return v
		}
	}
	return nil
}

// with returns the version that has a label, or nil.
func (s *secret) with(label string) *version {
	for _, v := range s.versions {
		if v.has(label) {
			return v
		}
	}
	return nil
}

func (s *secret) idWith(label string) string {
	if v := s.with(label); v != nil {
		return v.id
	}
	return ""
}

func (s *secret) current() string { return s.idWith(secretstore.LabelCurrent) }

func (s *secret) labels() (n int) {
	for _, v := range s.versions {
		n += len(v.labels)
	}
	return n
}

// place puts a label onto a version, or onto none, wherever it was before.
func (s *secret) place(label string, to *version) {
	if from := s.with(label); from != nil {
		from.labels = slices.DeleteFunc(slices.Clone(from.labels), func(l string) bool { return l == label })
	}
	if to != nil {
		to.labels = append(slices.Clone(to.labels), label)
		slices.Sort(to.labels)
	}
}

func (s *secret) describe() secretstore.Secret {
	if s.described == nil {
		d := &secretstore.Secret{ARN: s.arn, Name: s.name, Tags: s.tags, DeletedAt: s.deletedAt, CreatedAt: s.createdAt,
			Versions: make(map[string][]string, len(s.versions))}
		for _, v := range s.versions {
			if len(v.labels) > 0 {
				d.Versions[v.id] = v.labels
			}
		}
		s.described = d
	}
	return *s.described
}

// answer is what Describe said of the live secret until a moment; nil where there was none.
type answer struct {
	until  time.Time
	secret *secretstore.Secret
}

// secretsManager is the model of AWS: one live secret, those that are gone, and staged ones.
type secretsManager struct {
	w      *world
	live   *secret
	staged []*secret
	past   []answer
	// gone are the documents of all versions there ever were.
	written      map[string]sensitive.Value
	parsed       map[sensitive.Value]parsed
	parsedStaged map[sensitive.Value]change.StagedValue
	// delayed are effects whose calls have failed before they came.
	delayed []delayed
	// strange is since when the live secret is not ours to write, zero if it is.
	strange time.Time
	// foreign is when somebody last added a label of no change.
	foreign time.Time
}

type delayed struct {
	at  time.Time
	run func()
}

func newSecretsManager(w *world) *secretsManager {
	return &secretsManager{w: w, written: map[string]sensitive.Value{}, parsed: map[sensitive.Value]parsed{}, parsedStaged: map[sensitive.Value]change.StagedValue{}}
}

func owned() map[string]string {
	return map[string]string{naming.TagOwner: naming.Owner(cluster, namespace)}
}

// makeLive makes the live secret anew, with a first version where doc is not nil.
func (a *secretsManager) makeLive(doc document.Document) {
	a.changing()
	a.live = &secret{
		arn: "arn:aws:secretsmanager:" + region + ":" + account + ":secret:" + liveName + "-" + a.w.id()[30:], name: liveName,
		tags: owned(), createdAt: a.w.now,
	}
	a.strange, a.w.breakable = time.Time{}, true
	a.w.upheavals++
	if doc != nil {
		a.putCurrent(mustEncode(doc))
	}
}

func mustEncode(doc document.Document) sensitive.Value {
	value, err := doc.Encode()
	if err != nil {
		panic(err)
	}
	return value
}

// changing remembers what Describe says of the live secret before something changes.
func (a *secretsManager) changing() {
	if a.w.faults.stale > 0 {
		var was *secretstore.Secret
		if a.live != nil {
			described := a.live.describe()
			was = &described
		}
		a.past = append(a.past, answer{a.w.now, was})
	}
	if a.live != nil {
		a.live.described = nil
	}
}

// describeLive is the truth, or what was true within staleness.
func (a *secretsManager) describeLive() *secretstore.Secret {
	if a.w.chance(a.w.faults.stale) {
		fresh := slices.IndexFunc(a.past, func(old answer) bool { return a.w.now.Sub(old.until) < staleness })
		if fresh >= 0 {
			a.w.happened("AWS: a describe is old")
			return a.past[fresh+a.w.pick(len(a.past)-fresh)].secret
		}
	}
	if a.live == nil {
		return nil
	}
	described := a.live.describe()
	return &described
}

// moveCurrent follows AWS: the version that was current becomes AWSPREVIOUS. by is the change that asked for it, nil for
// somebody who went by AWS alone.
func (a *secretsManager) moveCurrent(to *version, by *book) {
	from := a.live.with(secretstore.LabelCurrent)
	if from == to {
		return
	}
	if from != nil {
		a.live.place(secretstore.LabelPrevious, from)
	}
	a.live.place(secretstore.LabelCurrent, to)
	l := birth{version: to.id, by: by}
	if from != nil {
		l.before = from.id
	}
	a.w.lives = append(a.w.lives, l)
	a.w.upheavals++
	if a.w.chance(a.w.faults.forgetful) {
		a.forget()
	}
}

// forget is AWS's right: a version without a label may be deleted.
func (a *secretsManager) forget() {
	a.live.versions = slices.DeleteFunc(a.live.versions, func(v *version) bool { return len(v.labels) == 0 })
}

// putCurrent is an editor who does not go through us.
func (a *secretsManager) putCurrent(value sensitive.Value) {
	a.changing()
	v := &version{id: a.w.id(), value: value}
	a.written[v.id] = value
	a.live.versions = append(a.live.versions, v)
	a.moveCurrent(v, nil)
}

// parsed is what document.Parse makes of a value.
type parsed struct {
	document.Document
	err error
}

// parse is document.Parse, once for each value: most of the time would go there. Nobody may change the document.
func (a *secretsManager) parse(value sensitive.Value) (document.Document, error) {
	known, ok := a.parsed[value]
	if !ok {
		known.Document, known.err = document.Parse(value)
		a.parsed[value] = known
	}
	return known.Document, known.err
}

// stagedValue is change.StagedValueOf, once for each value.
func (a *secretsManager) stagedValue(value sensitive.Value) *change.StagedValue {
	known, ok := a.parsedStaged[value]
	if !ok {
		known = change.StagedValueOf(value)
		a.parsedStaged[value] = known
	}
	return &known
}

// document is what a version holds or held; nil if that was no document.
func (a *secretsManager) document(id string) document.Document {
	if id == "" {
		return document.Document{}
	}
	doc, err := a.parse(a.written[id])
	if err != nil {
		return nil
	}
	return doc
}

// liveDocument is what is live, nil if there is nothing that can be edited.
func (a *secretsManager) liveDocument() document.Document {
	if a.live == nil || a.live.deletedAt != nil {
		return nil
	}
	return a.document(a.live.current())
}

func (a *secretsManager) stagedBy(arn string) *secret {
	for _, s := range a.staged {
		if s.arn == arn {
			return s
		}
	}
	return nil
}

func (a *secretsManager) dropStaged(arn string) {
	a.staged = slices.DeleteFunc(a.staged, func(s *secret) bool { return s.arn == arn })
}

// delay lets something happen later.
func (a *secretsManager) delay(until time.Time, run func()) {
	a.delayed = append(a.delayed, delayed{until, run})
	slices.SortStableFunc(a.delayed, func(x, y delayed) int { return x.at.Compare(y.at) })
}

// tick lets come what was delayed.
func (a *secretsManager) tick() {
	for len(a.delayed) > 0 && !a.w.now.Before(a.delayed[0].at) {
		run := a.delayed[0].run
		a.delayed = a.delayed[1:]
		run()
	}
}

// problem returns the kind of error that the state of a secret answers a writing call with.
func problem(s *secret) secretstore.Kind {
	switch {
	case s == nil:
		return secretstore.KindNotFound
	case s.deletedAt != nil:
		return secretstore.KindInvalidState
	default:
		return ""
	}
}

// put is PutSecretValue.
func (a *secretsManager) put(in secretstore.PutInput, by *book) secretstore.Kind {
	s := a.byARN(in.ID)
	if kind := problem(s); kind != "" {
		return kind
	}
	if have := s.version(in.VersionID); have != nil {
		if !have.value.Equal(in.Value) {
			return secretstore.KindExists
		}
		return ""
	}
	if len(in.Labels) == 0 || slices.Contains(in.Labels, secretstore.LabelCurrent) {
		a.w.violatef("%s puts a version in a way that moves AWSCURRENT", by.name)
	}
	if s.labels()+len(in.Labels) > secretstore.MaxLabels {
		return secretstore.KindLimit
	}
	a.changing()
	v := &version{id: in.VersionID, value: in.Value}
	a.written[v.id] = in.Value
	by.wrote = append(by.wrote, v.id)
	for _, label := range in.Labels {
		s.place(label, v)
	}
	first := len(s.versions) == 0
	s.versions = append(s.versions, v)
	if first {
		a.moveCurrent(v, by)
	}
	return ""
}

// move is UpdateSecretVersionStage.
func (a *secretsManager) move(in secretstore.MoveLabelInput, by *book) secretstore.Kind {
	s := a.byARN(in.ID)
	if kind := problem(s); kind != "" {
		return kind
	}
	to := s.version(in.To)
	switch {
	case s.idWith(in.Label) != in.From:
		return secretstore.KindInvalidState
	case in.To != "" && to == nil:
		return secretstore.KindNotFound
	case in.From == "" && s.labels() >= secretstore.MaxLabels:
		return secretstore.KindLimit
	}
	a.changing()
	if in.Label == secretstore.LabelCurrent {
		a.moveCurrent(to, by)
		return ""
	}
	s.place(in.Label, to)
	return ""
}

func (a *secretsManager) byARN(arn string) *secret {
	if a.live != nil && a.live.arn == arn {
		return a.live
	}
	return a.stagedBy(arn)
}
