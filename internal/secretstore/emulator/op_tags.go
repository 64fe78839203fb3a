package emulator

import "slices"

type tagResourceInput struct {
	SecretId string
	Tags     []tag
}

type untagResourceInput struct {
	SecretId string
	TagKeys  []string
}

type nothing struct{}

func (s *secret) setTags(tags []tag) {
	for _, t := range tags {
		i := slices.IndexFunc(s.tags, func(old tag) bool { return old.Key == t.Key })
		if i >= 0 {
			s.tags[i] = t
			continue
		}
		s.tags = append(s.tags, t)
	}
}

func tagResource(r *request, in *tagResourceInput) (*nothing, error) {
	for _, err := range []error{checkSecretID(in.SecretId), checkTags(in.Tags)} {
		if err != nil {
			return nil, err
		}
	}
	s, err := r.live(in.SecretId)
	if err != nil {
		return nil, err
	}
	_, err = r.edit(s, func(s *secret) error {
		s.setTags(in.Tags)
		if len(s.tags) > maxTags {
			return failure("LimitExceededException", "A secret can have %d tags at most.", maxTags)
		}
		return nil
	})
	return &nothing{}, err
}

func untagResource(r *request, in *untagResourceInput) (*nothing, error) {
	s, err := r.live(in.SecretId)
	if err != nil {
		return nil, err
	}
	_, err = r.edit(s, func(s *secret) error {
		s.tags = slices.DeleteFunc(s.tags, func(t tag) bool { return slices.Contains(in.TagKeys, t.Key) })
		return nil
	})
	return &nothing{}, err
}
