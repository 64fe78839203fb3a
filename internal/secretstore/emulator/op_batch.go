package emulator

import "errors"

// maxBatch is how many secrets BatchGetSecretValue returns at most.
const maxBatch = 20

type batchInput struct {
	Filters      []filter
	SecretIdList []string
	MaxResults   int
	NextToken    string
}

type batchError struct{ SecretId, ErrorCode, Message string }

type batchOutput struct {
	SecretValues []secretValue
	Errors       []batchError
	NextToken    string `json:",omitempty"`
}

func batchGetSecretValue(r *request, in *batchInput) (*batchOutput, error) {
	ids, next, err := r.batch(in)
	if err != nil {
		return nil, err
	}
	out := &batchOutput{SecretValues: []secretValue{}, Errors: []batchError{}, NextToken: next}
	for _, id := range ids {
		value, err := r.oneOfBatch(id)
		if failed := (*apiError)(nil); errors.As(err, &failed) {
			out.Errors = append(out.Errors, batchError{SecretId: id, ErrorCode: failed.code, Message: failed.message})
			continue
		}
		out.SecretValues = append(out.SecretValues, *value)
	}
	return out, nil
}

func (r *request) batch(in *batchInput) (ids []string, next string, err error) {
	if (len(in.SecretIdList) > 0) == (len(in.Filters) > 0) {
		return nil, "", failure("InvalidParameterException", "You must provide either Filters or SecretIdList.")
	}
	if len(in.SecretIdList) > maxBatch {
		return nil, "", constraint("secretIdList", "Member must have length less than or equal to 20")
	}
	if len(in.SecretIdList) > 0 {
		return in.SecretIdList, "", nil
	}
	if err := checkFilters(in.Filters); err != nil {
		return nil, "", err
	}
	size := in.MaxResults
	if size == 0 {
		size = maxBatch
	}
	page, next, err := r.page(&listSecretsInput{Filters: in.Filters, MaxResults: min(size, maxBatch), NextToken: in.NextToken}, false)
	for _, s := range page {
		ids = append(ids, s.name)
	}
	return ids, next, err
}

func (r *request) oneOfBatch(id string) (*secretValue, error) {
	if err := r.e.authorize(r.principal, Asked{Action: service + "GetSecretValue", Resource: r.e.nameOf(id), name: r.e.nameOf(id)}); err != nil {
		return nil, err
	}
	return getSecretValue(r, &getSecretValueInput{SecretId: id})
}
