package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// maxRequestBytes is above anything that the service accepts: a value of
// 65,536 bytes, each of which JSON may write as six.
const maxRequestBytes = 1 << 20

const jsonContentType = "application/x-amz-json-1.1"

// apiError is an answer other than success.
type apiError struct {
	code, message string
	status        int
	// unmodelled errors come from the service's front end, not from its own
	// model, and write their message in lower case on the wire.
	unmodelled bool
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func failure(code, format string, args ...any) *apiError {
	return &apiError{code: code, message: fmt.Sprintf(format, args...), status: http.StatusBadRequest}
}

func frontEndFailure(code, format string, args ...any) *apiError {
	e := failure(code, format, args...)
	e.unmodelled = true
	return e
}

// Messages that real AWS was recorded to answer with.
var (
	errNoSecret   = failure("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	errMarked     = failure("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.")
	errName       = frontEndFailure("ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	errNoToken    = failure("InvalidRequestException", "You must provide a ClientRequestToken value. We recommend a UUID-type value.")
	errOtherStage = failure("InvalidRequestException", "You provided a VersionStage that is not associated to the provided VersionId.")
	errScheduled  = failure("InvalidRequestException", "You can't create this secret because a secret with this name is already scheduled for deletion.")
)

// timestamp is seconds since 1970 with three decimals, as the protocol has it.
type timestamp time.Time

func (t timestamp) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "%.3f", float64(time.Time(t).UnixMilli())/1000), nil
}

func stamp(t time.Time) *timestamp {
	if t.IsZero() {
		return nil
	}
	s := timestamp(t)
	return &s
}

func writeJSON(w http.ResponseWriter, requestID string, status int, body any) {
	w.Header().Set("Content-Type", jsonContentType)
	w.Header().Set("X-Amzn-Requestid", requestID)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func writeError(w http.ResponseWriter, requestID string, e *apiError) {
	key := "Message"
	if e.unmodelled {
		key = "message"
	}
	w.Header().Set("X-Amzn-Errortype", e.code)
	writeJSON(w, requestID, e.status, map[string]string{"__type": e.code, key: e.message})
}
