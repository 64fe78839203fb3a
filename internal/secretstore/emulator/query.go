package emulator

import (
	"encoding/xml"
	"net/http"
	"net/url"
)

// queryService is a service of AWS's query protocol: a form goes in, XML comes
// out.
type queryService struct {
	namespace string
}

// commonCodes are what the services of the query protocol call the errors of the
// common front end.
var commonCodes = map[string]string{
	"UnrecognizedClientException":         "InvalidClientTokenId",
	"ExpiredTokenException":               "ExpiredToken",
	"MissingAuthenticationTokenException": "MissingAuthenticationToken",
	"ThrottlingException":                 "Throttling",
	"AccessDeniedException":               "AccessDenied",
}

var (
	tokens = queryService{namespace: "https://sts.amazonaws.com/doc/2011-06-15/"}
	stacks = queryService{namespace: "http://cloudformation.amazonaws.com/doc/2010-05-15/"}
)

// queryOperation is one action. It returns what stands in the element
// <Action>Result.
type queryOperation struct {
	service queryService
	run     func(r *request, form url.Values) (any, error)
	// unsigned says that whoever calls needs no credentials yet.
	unsigned bool
}

var queryOperations = map[string]queryOperation{
	"AssumeRoleWithWebIdentity": {tokens, assumeRoleWithWebIdentity, true},
	"DescribeStacks":            {stacks, describeStacks, false},
	"GetCallerIdentity":         {tokens, getCallerIdentity, false},
}

type queryError struct {
	XMLName   xml.Name
	Type      string `xml:"Error>Type"`
	Code      string `xml:"Error>Code"`
	Message   string `xml:"Error>Message"`
	RequestID string `xml:"RequestId"`
}

type queryAnswer struct {
	XMLName   xml.Name
	Result    any
	RequestID string `xml:"ResponseMetadata>RequestId"`
}

func (e *Emulator) serveQuery(w http.ResponseWriter, r *http.Request, body []byte) {
	form, _ := url.ParseQuery(string(body))
	action := form.Get("Action")
	op, known := queryOperations[action]
	if !known {
		op.service = tokens
	}
	out, o, requestID := e.carryOut(r, action, &summary{}, func(req *request) (any, error) {
		if !known {
			return nil, frontEndFailure("InvalidAction", "Could not find operation %s for version %s", action, form.Get("Version"))
		}
		return op.run(req, form)
	})
	answer(o, func(failed *apiError) {
		w.Header().Set("Content-Type", "text/xml")
		if failed != nil {
			op.service.writeError(w, requestID, failed)
			return
		}
		_ = xml.NewEncoder(w).Encode(queryAnswer{
			XMLName: xml.Name{Space: op.service.namespace, Local: action + "Response"}, Result: out, RequestID: requestID,
		})
	})
}

func (s queryService) writeError(w http.ResponseWriter, requestID string, failed *apiError) {
	code, known := commonCodes[failed.code]
	status := failed.status
	switch {
	case known:
		status = max(status, http.StatusForbidden)
	default:
		code = failed.code
	}
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(queryError{
		XMLName: xml.Name{Space: s.namespace, Local: "ErrorResponse"}, Type: "Sender", Code: code, Message: failed.message, RequestID: requestID,
	})
}
